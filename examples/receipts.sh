#!/usr/bin/env bash
# Why does this value stand? What was chosen among concurrent writes leaves a receipt: it can be
# read, run again, and asked what another policy would have chosen.
#
#   receipts.sh
#
# Ada and bob write a document, which is merged by path, and a place, of which the later stands.
# Starts a coordinator of its own and removes all of it at the end.

set -euo pipefail
waggle=${WAGGLE:-waggle}
directory=$(mktemp -d)
coordinator=

clean_up() {
  if [ -n "$coordinator" ]; then
    kill "$coordinator" 2>/dev/null || true
    wait "$coordinator" 2>/dev/null || true
  fi
  rm -rf "$directory"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  echo "receipts: $*" >&2
  exit 1
}

# One run of agent $1 with the operations on standard input; what follows says where it is. Its
# directory keeps what it knew and what it wrote.
agent() {
  "$waggle" agent run --id "$1" --data "$directory/$1" "${@:2}" 2>>"$directory/messages"
}
put() {
  echo "{\"op\":\"put\",\"key\":\"$1\",\"value\":$2}"
}

export WAGGLE_SWARM=bees WAGGLE_COORDINATOR="ipc://$directory/waggle.sock" WAGGLE_TIMEOUT=30s
cat >"$directory/waggle.toml" <<'END'
[[policy]]
prefix = "plan/"
strategy = "merge"
otherwise = "lww"
END
"$waggle" serve --listen "$WAGGLE_COORDINATOR" --data "$directory/coordinator" \
  --config "$directory/waggle.toml" >"$directory/serve.out" 2>&1 &
coordinator=$!
"$waggle" state put nest "unknown" >/dev/null
"$waggle" state put plan/move '{"goal":"move","when":"?","guard":"?"}' --type json >/dev/null

# Both know this, then write where they hear nobody, and come back with it.
for name in ada bob; do
  echo '{"op":"get","key":"nest","at_least":2,"timeout":"30s"}' | agent "$name" >/dev/null
done
{
  put nest '"the oak"'
  put plan/move '{"goal":"move","when":"noon","guard":"?"}'
} | agent ada --coordinator "ipc://$directory/nobody" --drain 0s >/dev/null
{
  put nest '"the barn"'
  put plan/move '{"goal":"move","when":"?","guard":"bob"}'
} | agent bob --coordinator "ipc://$directory/nobody" --drain 0s >/dev/null
for name in ada bob; do agent "$name" --drain 30s </dev/null >/dev/null; done
echo "what stands:"
"$waggle" state ls --long
[ "$("$waggle" state get nest)" = "the barn" ] || fail "the later write does not stand"
[ "$("$waggle" state get plan/move)" = '{"goal":"move","guard":"bob","when":"noon"}' ] ||
  fail "the documents were not merged"

echo "what was chosen:"
"$waggle" receipt ls
echo "of what:"
"$waggle" receipt show nest
"$waggle" receipt show plan/move

# The chain is whole, and each rule comes to the same when it is run again.
for key in nest plan/move; do
  "$waggle" receipt verify "$key" 2>&1
  [[ $("$waggle" receipt verify "$key" --json) == *'"sound":true'* ]] || fail "$key is not sound"
done

# Before a policy is changed: what would it have done?
cat >"$directory/other.toml" <<'END'
[[policy]]
prefix = ""
strategy = "fww"
END
echo "had the first write always stood:"
"$waggle" what-if --policy "$directory/other.toml" 2>&1
[[ $("$waggle" what-if --policy "$directory/other.toml" --json) == *'"changed":2'* ]] ||
  fail "two choices should come out another way"
[[ $("$waggle" what-if --policy "$directory/waggle.toml" --json) == *'"changed":0'* ]] ||
  fail "the same policy should choose the same"
echo "the same policy chooses the same"
