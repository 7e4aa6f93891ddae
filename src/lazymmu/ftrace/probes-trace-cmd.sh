#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Record what `lazymmu trace` needs: @@{label}, Linux @@{release}.
# Made by `lazymmu probes --trace-cmd`.
#
#   sh THIS-FILE [-o FILE] [-b KB] [-c CLOCK] [-l] [-s] [COMMAND [ARGUMENT...]]
#
#   -o FILE   where the recording goes (default: lazymmu.dat)
#   -b KB     size of the buffer of each CPU (default: 16384)
#   -c CLOCK  clock of the trace (default: global, which orders the records of all CPUs)
#   -l        leave out what comes once for each entry
#   -s        record the stack of each function call (large)
#
# It records while COMMAND runs, or until Ctrl-C. It needs root, tracefs and trace-cmd 3.1 or later.
# trace-cmd works in the top-level buffer: tracing that somebody else has set up there is lost, and
# at the end all of it is reset. (The script of `lazymmu probes --tracefs` has an instance of its
# own and spares others.) Then, because without the caller of a function nobody can tell a section's
# end from a context switch:
#
#   trace-cmd report -N -l -O parent lazymmu.dat | lazymmu trace -
#
@@{notes}

@@{common}
command -v trace-cmd >/dev/null || fail "trace-cmd is not installed"

made=
started=

# Whatever ends the script undoes what it set.
# shellcheck disable=SC2317,SC2329
undo() {
	trap '' INT TERM HUP
	if [ -n "$started" ]; then
		trace-cmd reset
		# What `reset` leaves as it was set: "7 (expanded: 1408)" is 7.
		echo "${buffer%% *}" >"$tracefs/buffer_size_kb"
		echo "$was" >"$tracefs/trace_clock"
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

wanted=
# make NAME STACK-FILTER FORM...: the first form that the kernel accepts, and a stack where wanted.
# shellcheck disable=SC2317,SC2329
make() {
	name=$1
	stack=$2
	shift 2
	for form in "$@"; do
		if { echo "$form" >>"$tracefs/dynamic_events"; } 2>/dev/null; then
			made="$made $name"
			wanted="$wanted -e @@{group}:$name"
			if [ -n "$stack" ]; then
				{ echo "stacktrace if $stack" >"$tracefs/events/@@{group}/$name/trigger"; } 2>/dev/null ||
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
	if grep -q "^$name\$" "$tracefs/available_filter_functions" 2>/dev/null; then
		traced="$traced -l $name"
	else
		say "this kernel does not let $name() be traced"
	fi
done
# Without -l, trace-cmd would trace every function of the kernel.
if [ -n "$traced" ]; then
	wanted="$wanted -p function$traced"
	[ -z "$stacks" ] || wanted="$wanted --func-stack"
fi
for name in $EVENTS; do
	if [ -e "$tracefs/events/$name/enable" ]; then
		wanted="$wanted -e ${name%%/*}:${name##*/}"
	else
		say "this kernel has no event $name"
	fi
done
[ -n "$traced$made" ] || say "nothing of what is recorded shows the mode on this kernel"

buffer=$(cat "$tracefs/buffer_size_kb")
was=$(sed 's/.*\[\(.*\)\].*/\1/' "$tracefs/trace_clock")
started=1
trap : INT
# The list of options has no blanks but those between its words.
# shellcheck disable=SC2086
trace-cmd record -o "$out" -b "$size" -C "$clock" $wanted "$@"
status=$?
say "$out: trace-cmd report -N -l -O parent $out | lazymmu trace -"
exit "$status"
