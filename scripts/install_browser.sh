#!/bin/sh
# Finds a Chromium for the tests of the page, or installs one; never fails: the tests say loudly if there is none.
PYTHON="${1:-python3}"
for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium*/ >/dev/null 2>&1 && exit 0
echo "No Chromium found; installing one for the tests of the page."
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
# Debian has it as a package; on Ubuntu the package is only a pointer to a snap, so playwright's own is better there
if command -v apt-get >/dev/null 2>&1 && ! grep -qi '^ID=ubuntu' /etc/os-release 2>/dev/null; then
  $as_root sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium' \
    >/dev/null 2>&1 && exit 0
fi
timeout 300 "$PYTHON" -m playwright install --with-deps chromium >/dev/null 2>&1 && exit 0
timeout 300 "$PYTHON" -m playwright install chromium >/dev/null 2>&1 && exit 0
echo "WARNING: no Chromium could be installed; the tests that open the page will be skipped, or fail under CI=true." >&2
exit 0
