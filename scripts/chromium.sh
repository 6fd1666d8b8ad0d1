#!/bin/sh
# Print the path of a chromium that runs. Tests of the pages need one, and screenshots do.
#
#   scripts/chromium.sh           installs one if there is none
#   scripts/chromium.sh --find    only looks
#
# Looked for: $SNAPSHELF_CHROMIUM, one on PATH, one that was unpacked before. Installed: Debian's, by
# apt-get where that is allowed, else unpacked with what it needs into .venv/chromium, which takes no
# rights at all.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
own="$here/.venv/chromium"

find_one() {
  for each in "${SNAPSHELF_CHROMIUM:-}" chromium chromium-browser google-chrome "$own/run"; do
    [ -n "$each" ] || continue
    path=$(command -v "$each" 2>/dev/null) || continue
    # A program that is there may still lack its libraries.
    if "$path" --version --no-sandbox >/dev/null 2>&1; then
      printf '%s\n' "$path"
      return 0
    fi
  done
  return 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_for_all() {
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 1
  as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core ||
    { as_root apt-get update -qq &&
      as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; }
}

# The packages that are needed and not there: what apt-get would install.
missing_packages() {
  apt-get $1 install --simulate --no-install-recommends chromium fonts-dejavu-core |
    sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

unpack_for_us() {
  rm -rf "$own.partial"
  mkdir -p "$own.partial/lists/partial" "$own.partial/cache/archives/partial" "$own.partial/root"
  # Lists of our own: those of the machine may be missing, and only root brings them up to date.
  lists="-o Dir::State::Lists=$own.partial/lists -o Dir::Cache=$own.partial/cache -o Debug::NoLocking=1 -o APT::Sandbox::User="
  apt-get -qq $lists update
  packages=$(missing_packages "$lists")
  [ -n "$packages" ] || return 1
  (cd "$own.partial" && apt-get -qq $lists download $packages)
  for package in "$own.partial"/*.deb; do dpkg -x "$package" "$own.partial/root"; done
  rm -rf "$own.partial"/*.deb "$own.partial/lists" "$own.partial/cache"
  cat > "$own.partial/fonts.conf" <<FONTS
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>$own/root/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>$own/fonts</cachedir></fontconfig>
FONTS
  cat > "$own.partial/run" <<'RUN'
#!/bin/sh
own=$(cd "$(dirname "$0")" && pwd)
for folder in "$own"/root/usr/lib/*-linux-gnu* "$own"/root/lib/*-linux-gnu*; do
  for each in "$folder" "$folder"/*/; do
    [ -d "$each" ] && LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$each"
  done
done
export LD_LIBRARY_PATH FONTCONFIG_FILE="$own/fonts.conf"
exec "$own/root/usr/lib/chromium/chromium" "$@"
RUN
  chmod +x "$own.partial/run"
  rm -rf "$own"
  mv "$own.partial" "$own"
}

if find_one; then exit 0; fi
[ "${1:-}" != --find ] || exit 1
if ! command -v apt-get >/dev/null; then
  echo "there is no chromium, and no apt-get to get it with; install one, or give its path in SNAPSHELF_CHROMIUM" >&2
  exit 1
fi
echo "installing chromium for the tests of the pages" >&2
install_for_all >&2 || unpack_for_us >&2 || true
find_one || {
  echo "chromium could not be installed; install it, or give its path in SNAPSHELF_CHROMIUM" >&2
  exit 1
}
