#!/bin/sh
# Periodic synchronisation with the program `waggle`: what is critical often, everything seldom.
#
#   periodic_sync.sh [RUNS] [SECONDS]    RUNS of each, SECONDS between two critical ones
#
# Uses the coordinator that WAGGLE_COORDINATOR names. Without one it starts its own, with two agents
# that have different opinions, and removes all of it at the end.

set -eu
waggle=${WAGGLE:-waggle}
runs=${1:-3}
seconds=${2:-1}
started=
directory=

clean_up() {
  for pid in $started; do kill "$pid" 2>/dev/null || true; done
  for pid in $started; do wait "$pid" 2>/dev/null || true; done
  if [ -n "$directory" ]; then rm -rf "$directory"; fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Tries something until it works, for half a minute.
until_it_works() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 300 ]; then
      echo "gave up: $*" >&2
      exit 1
    fi
    sleep 0.1
  done
}

# An agent with two opinions. It lives as long as its standard input is open.
agent() {
  mkfifo "$directory/$1.in"
  "$waggle" agent run --id "$1" <"$directory/$1.in" >"$directory/$1.out" &
  started="$started $!"
  sleep 100000 >"$directory/$1.in" &
  started="$started $!"
  printf '%s\n' "{\"op\":\"offer\",\"key\":\"alarm/level\",\"value\":\"$2\"}" \
    "{\"op\":\"offer\",\"key\":\"nest\",\"value\":\"$3\"}" >"$directory/$1.in"
}

export WAGGLE_SWARM="${WAGGLE_SWARM:-bees}"
if [ -z "${WAGGLE_COORDINATOR:-}" ]; then
  directory=$(mktemp -d)
  export WAGGLE_COORDINATOR="ipc://$directory/waggle.sock"
  "$waggle" serve --memory --listen "$WAGGLE_COORDINATOR" >"$directory/serve.out" &
  started="$started $!"
  until_it_works "$waggle" status
  agent ada wasps oak
  agent bob calm barn
  until_it_works sh -c "test \$('$waggle' agent ls --json | grep -o '\"agent\"' | wc -l) -ge 2"
fi

# Critical keys go before others that wait at the coordinator, and may take 30 s.
echo "critical, every $seconds s:"
"$waggle" sync alarm/level --priority critical --every "${seconds}s" --count "$runs" &
critical=$!
# Everything else has time.
"$waggle" sync --all --priority normal --every "$((seconds * 2))s" --count "$runs" >&2 || full=$?
wait "$critical" || exit $?
if [ "${full:-0}" -ne 0 ]; then exit "$full"; fi
echo "settled:"
"$waggle" state ls --long
