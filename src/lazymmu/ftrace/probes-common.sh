# SPDX-License-Identifier: GPL-2.0-or-later
set -u

FUNCTIONS='
@@{functions}
'
BULK_FUNCTIONS='
@@{bulk_functions}
'
EVENTS='
@@{events}
'
BULK_EVENTS='
@@{bulk_events}
'

say() { echo "probes: $*" >&2; }
fail() { say "$*"; exit 2; }

out=@@{out}
size=16384
clock=global
light=
stacks=
while getopts o:b:c:ls option; do
	case "$option" in
	o) out=$OPTARG ;;
	b) size=$OPTARG ;;
	c) clock=$OPTARG ;;
	l) light=1 ;;
	s) stacks=1 ;;
	*) fail "usage: $0 [-o FILE] [-b KB] [-c CLOCK] [-l] [-s] [COMMAND [ARGUMENT...]]" ;;
	esac
done
shift $((OPTIND - 1))

tracefs=
for place in /sys/kernel/tracing /sys/kernel/debug/tracing; do
	if [ -d "$place/instances" ]; then
		tracefs=$place
		break
	fi
done
[ "$(id -u)" = 0 ] || fail "this needs root"
[ -n "$tracefs" ] || fail "no tracefs: mount -t tracefs tracefs /sys/kernel/tracing"
case "$(uname -m)" in
@@{machines}) ;;
*) say "this machine is $(uname -m); the script is for @@{label}" ;;
esac
@@{check}
