#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Record what `lazymmu trace` needs: @@{label}, Linux @@{release}.
# Made by `lazymmu probes`.
#
#   sh THIS-FILE [-o FILE] [-b KB] [-c CLOCK] [-l] [-s] [COMMAND [ARGUMENT...]]
#
#   -o FILE   where the trace goes (default: lazymmu.trace)
#   -b KB     size of the buffer of each CPU (default: 16384); the oldest records are overwritten
#   -c CLOCK  clock of the trace (default: global, which orders the records of all CPUs)
#   -l        leave out what comes once for each entry
#   -s        record the stack of each function call (large)
#
# It records while COMMAND runs, or until Ctrl-C. It needs root and tracefs. It works in a tracing
# instance of its own, which is removed at the end together with the events that it made, also when
# it is stopped: nobody else's tracing is touched. Then:
#
#   lazymmu trace lazymmu.trace
#
@@{notes}

@@{common}

instance=$tracefs/instances/@@{group}
[ ! -d "$instance" ] || fail "$instance is there already: is another recording running?"
made=

# Whatever ends the script undoes what it set; in an instance, the tracer, the filter and the
# triggers go with it.
# shellcheck disable=SC2317,SC2329
undo() {
	trap '' INT TERM HUP
	if [ -d "$instance" ]; then
		echo 0 >"$instance/tracing_on"
		echo nop >"$instance/current_tracer"
		: >"$instance/set_event"
		rmdir "$instance" || say "cannot remove $instance; try again: rmdir $instance"
	fi
	for name in $made; do
		echo "-:@@{group}/$name" >>"$tracefs/dynamic_events" ||
			say "cannot remove the event @@{group}/$name"
	done
}
trap undo EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
mkdir "$instance" || fail "cannot make $instance"
echo 0 >"$instance/tracing_on"
echo "$size" >"$instance/buffer_size_kb" || fail "no buffer of $size KB for each CPU"
echo "$clock" >"$instance/trace_clock" 2>/dev/null ||
	fail "no clock $clock; there are: $(cat "$instance/trace_clock")"

# make NAME STACK-FILTER FORM...: the first form that the kernel accepts, and a stack where wanted.
# shellcheck disable=SC2317,SC2329
make() {
	name=$1
	stack=$2
	shift 2
	for form in "$@"; do
		if { echo "$form" >>"$tracefs/dynamic_events"; } 2>/dev/null; then
			made="$made $name"
			echo 1 >"$instance/events/@@{group}/$name/enable"
			if [ -n "$stack" ]; then
				{ echo "stacktrace if $stack" >"$instance/events/@@{group}/$name/trigger"; } 2>/dev/null ||
					say "no stacks with $name"
			fi
			return 0
		fi
	done
	return 1
}
if [ -e "$tracefs/dynamic_events" ]; then
	:
@@{dynamic}
fi

traced=
[ -n "$light" ] || FUNCTIONS="$FUNCTIONS $BULK_FUNCTIONS"
[ -n "$light" ] || EVENTS="$EVENTS $BULK_EVENTS"
for name in $FUNCTIONS; do
	# What is not in the kernel, or cannot be traced, is refused.
	if { echo "$name" >>"$instance/set_ftrace_filter"; } 2>/dev/null; then
		traced="$traced $name"
	else
		say "this kernel does not let $name() be traced"
	fi
done
# An empty filter would trace every function of the kernel.
if [ -n "$traced" ]; then
	[ -z "$stacks" ] || echo 1 >"$instance/options/func_stack_trace"
	{ echo function >"$instance/current_tracer"; } 2>/dev/null || {
		say "this kernel has no function tracer"
		traced=
	}
fi
for name in $EVENTS; do
	if [ -e "$instance/events/$name/enable" ]; then
		echo 1 >"$instance/events/$name/enable"
	else
		say "this kernel has no event $name"
	fi
done
[ -n "$traced$made" ] || say "nothing of what is recorded shows the mode on this kernel"

status=0
echo 1 >"$instance/tracing_on"
if [ $# -gt 0 ]; then
	trap : INT
	"$@" || status=$?
else
	say "recording; Ctrl-C ends it"
	stop=
	trap 'stop=1' INT TERM
	while [ -z "$stop" ]; do
		sleep 1 || :
	done
fi
echo 0 >"$instance/tracing_on"
trap 'exit 130' INT
trap 'exit 143' TERM

# The first line names the kernel, which the trace itself does not.
{
	echo "Linux localhost $(uname -r) $(uname -m)"
	cat "$instance/trace"
} >"$out" || fail "cannot write $out"
lost=$(sed -n -e 's/^overrun: //p' -e 's/^dropped events: //p' "$instance"/per_cpu/cpu*/stats |
	awk '{ sum += $1 } END { print sum + 0 }')
[ "$lost" = 0 ] || say "$lost records were lost; -b makes the buffers larger, -l the trace smaller"
say "$out: $(sed '/^#/d' "$out" | wc -l) lines; lazymmu trace $out"
exit "$status"
