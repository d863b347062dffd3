#!/usr/bin/env bash
# Runs the vendors' own clients of all three APIs against the gateway, in front of stand-ins of three providers: OpenAI's (with and
# without its Responses API), Anthropic's and Replicate's (through their adapters). Prints one line per check and last 'N passed,
# N failed, N skipped'.
#
#   run.sh            everything; the gateway is $WITGATE or target/release/witgate
#   run.sh --direct   without the gateway, straight at the stand-in: checks the checks
#   run.sh --llama    in front of a real llama.cpp server with a real model instead (installs 350 MB)
#   BASE_URL=http://… API_KEY=… MODEL=… CAN=tools,json run.sh --at   whatever listens there
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export CLIENTS_HOME=${CLIENTS_HOME:-$root/target/clients}
"$here/install.sh"
python=$CLIENTS_HOME/python/bin/python
work=$(mktemp -d)
started=()
trap 'rm -rf "$work"' EXIT

stop() {
  [ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2> /dev/null || true
}

start() { # name, command: sets $url to what its first line of output says
  local name=$1
  "${@:2}" > "$work/$name.out" 2> "$work/$name.err" &
  started+=($!)
  await "$name" 600 grep -q http "$work/$name.out"
  url=$(grep -om1 'http://[0-9.:]*' "$work/$name.out")
}

await() { # name, tenths of a second, condition
  for ((i = 0; i < $2; i++)); do
    if "${@:3}" 2> /dev/null; then return; fi
    sleep 0.1
  done
  echo "$1 did not start:" >&2
  cat "$work/$1".* >&2
  exit 1
}

clients() { # runs the clients of all three APIs, Python's and Node's, with the environment given
  local name
  for name in openai responses anthropic; do
    "$python" "$here/${name}_py.py" || true
    if [ -d "$CLIENTS_HOME/node/node_modules" ]; then
      cp "$here"/*.mjs "$CLIENTS_HOME/node/"
      (cd "$CLIENTS_HOME/node" && node --no-warnings "${name}_node.mjs") || true
    else
      echo "skip ${name}_node (not installed)"
    fi
  done
}

free_port() {
  "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

provider() { # id, type, base URL, key, models, a further line: adds it to the configuration
  printf '[[providers]]\nid = "%s"\ntype = "%s"\nbase_url = "%s"\napi_key = "%s"\nmodels = [%s]\n%s\n' "$@" >> "$work/witgate.toml"
}

gateway() { # starts the gateway with what was configured and a client's key; sets BASE_URL and API_KEY
  export API_KEY=sk-the-clients
  local port
  port=$(free_port)
  { echo "api_keys = [\"$API_KEY\"]"; cat "$work/witgate.toml"; } > "$work/all.toml"
  "${WITGATE:-$root/target/release/witgate}" serve --config "$work/all.toml" --listen "127.0.0.1:$port" \
    --adapters "$root/adapters" --data "$work/data" > "$work/witgate.out" 2> "$work/witgate.err" &
  started+=($!)
  export BASE_URL=http://127.0.0.1:$port
  await witgate 300 "$python" -c "import urllib.request; urllib.request.urlopen('$BASE_URL/readyz')"
}

# What CAN leaves out is what the model or its provider cannot do: Anthropic has no embeddings; models on Replicate take no tools and
# no schema; the small Gemma calls no tools.
stand_ins() {
  start mock "$python" "$here/up/mock.py" --port 0
  provider mock openai-compatible "$url/v1" sk-mock '"mock-model", "mock-embed"' ''
  provider native openai-compatible "$url/v1" sk-mock '"mock-model", "mock-embed"' 'apis = ["openai-responses"]'
  provider claude anthropic "$url" sk-mock '"claude-sonnet-4-5"' ''
  start replicate "$python" "$here/up/mock_replicate.py" --port 0 --delay 0.005 --queue 0.02
  provider replicate replicate "$url/v1" r8_mock '"meta/meta-llama-3-8b-instruct", "demo/embeddings"' ''
  gateway
  MODEL=mock/mock-model EMBED_MODEL=mock/mock-embed CAN=models,tools,json,embeddings,completions,keys clients
  MODEL=native/mock-model EMBED_MODEL=native/mock-embed CAN=models,tools,json,embeddings,completions,keys clients
  MODEL=claude/claude-sonnet-4-5 CAN=models,tools,json,completions,keys,thinking clients
  MODEL=replicate/meta/meta-llama-3-8b-instruct EMBED_MODEL=replicate/demo/embeddings CAN=models,embeddings,completions,keys clients
}

real_model() {
  start llama "$CLIENTS_HOME/llama/bin/python" "$here/up/llama.py" --cache "$CLIENTS_HOME/llama" --port "$(free_port)"
  provider llama openai-compatible "$url/v1" none '' ''
  start embeddings "$CLIENTS_HOME/llama/bin/python" "$here/up/llama.py" --cache "$CLIENTS_HOME/llama" --port "$(free_port)" --embed
  provider llama-embed openai-compatible "$url/v1" none '' ''
  gateway
  MODEL=llama/gemma-3-270m EMBED_MODEL=llama-embed/gemma-3-270m CAN=models,json,embeddings,completions,keys clients
}

all() {
  case ${1:-} in
    --at) clients ;;
    --direct)
      start mock "$python" "$here/up/mock.py" --port 0
      export BASE_URL=$url
      CAN=models,tools,json,embeddings,completions,keys,thinking EMBED_MODEL=mock-embed clients
      ;;
    "") stand_ins ;;
    --llama) real_model ;;
    *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
}

if [ "${1:-}" = --llama ] && ! "$here/install.sh" llama; then
  # Its packages are built for fewer platforms than the gateway is.
  [ -z "${CI:-}" ] || exit 1
  echo "left out: llama.cpp cannot be installed here"
  exit
fi

(
  trap stop EXIT
  all "$@"
) 2>&1 | tee "$work/all"
awk '/^[0-9]+ passed, [0-9]+ failed/ { p += $1; f += $3; s += $5 }
     END { print "all clients: " p + 0 " passed, " f + 0 " failed, " s + 0 " skipped"; exit f || !p }' "$work/all"
