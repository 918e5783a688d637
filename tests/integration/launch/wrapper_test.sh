#!/usr/bin/env bash
# wrapper_test.sh SOURCE_ROOT CASE: runs ./londi in a bare copy of the project whose world lacks something, and checks
# that it ends with what / why / fix and a status other than 0.
# shellcheck disable=SC2016
set -uo pipefail
source_root=$1
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
project=$temp/project
fakes=$temp/bin
mkdir -p "$project/cmake" "$fakes"
cp "$source_root/londi" "$source_root/CMakePresets.json" "$project/"
cp "$source_root"/cmake/*.txt "$project/cmake/"
export LONDI_CACHE=$temp/cache PATH=$fakes:$PATH PIP_RETRIES=0 PIP_DEFAULT_TIMEOUT=2 PIP_CONFIG_FILE=/dev/null
unset PIP_FIND_LINKS PIP_INDEX_URL CXX

# fake NAME SCRIPT: a command that stands before the real one.
fake() {
  printf '#!/bin/sh\n%s\n' "$2" >"$fakes/$1"
  chmod +x "$fakes/$1"
}

# Everything that Debian has is there, unless a case says otherwise.
fake dpkg-query 'shift 2; for package in "$@"; do echo "ii $package"; done'

# expect STATUS TEXT...: runs ./londi and looks for each TEXT in what it says.
expect() {
  local output status wanted=$1
  shift
  output=$(timeout 60 "$project/londi" setup 2>&1)
  status=$?
  for text in "$@" "why: " "fix: "; do
    grep -qF -- "$text" <<<"$output" || { printf 'missing: %s\nin:\n%s\n' "$text" "$output"; exit 1; }
  done
  [[ $status == "$wanted" ]] || { printf 'status %s, not %s:\n%s\n' "$status" "$wanted" "$output"; exit 1; }
}

case $2 in
  no_disk)
    fake df 'echo header; echo "disk 100 99 7 99% /"'
    expect 1 "not enough disk" "7 MB are free" "LONDI_CACHE"
    ;;
  no_network)
    PIP_INDEX_URL=http://127.0.0.1:9/simple expect 1 "LibTorch could not be downloaded" "check the network"
    ;;
  wrong_checksum)
    mkdir "$temp/wheels"
    echo "not the wheel" >"$temp/wheels/torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    PIP_NO_INDEX=1 PIP_FIND_LINKS=$temp/wheels expect 1 "wrong checksum" "run ./londi again"
    ;;
  old_compiler)
    fake g++ 'echo 10.2.1'
    expect 1 "g++ 10.2.1 is too old" "g++ 12"
    ;;
  missing_packages_without_root)
    fake dpkg-query 'exit 1'
    fake id 'case $1 in -u) echo 1000;; *) echo somebody;; esac'
    fake sudo 'exit 1'
    expect 1 "Debian packages are missing" "sudo apt-get install -y --no-install-recommends g++"
    ;;
  failing_apt)
    fake dpkg-query 'exit 1'
    fake id 'case $1 in -u) echo 0;; *) echo root;; esac'
    fake apt-get 'echo "E: Failed to fetch something"; exit 100'
    expect 1 "apt-get failed" "E: Failed to fetch something"
    ;;
  cache_in_the_way)
    touch "$temp/cache"
    expect 1 "cannot create $temp/cache" "LONDI_CACHE"
    ;;
  *)
    echo "no case '$2'"
    exit 1
    ;;
esac
