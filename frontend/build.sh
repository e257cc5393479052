#!/bin/sh
# Build what static/ holds from the pinned packages. Maintainers only, when a package or app.scss changes.
set -eu
cd "$(dirname "$0")"
npm ci --ignore-scripts --silent

package=node_modules/nhsuk-frontend/dist/nhsuk
node_modules/.bin/sass --load-path=node_modules --style=compressed --no-source-map --quiet-deps app.scss ../static/app.css

# The map is not shipped, and static storage would look for it.
sed 's|//# sourceMappingURL=.*$||' "$package/nhsuk-frontend.min.js" > ../static/nhsuk-frontend.min.js

rm -rf ../static/images
mkdir ../static/images
for image in $(grep -o 'images/nhsuk-icon-[a-z-]*\.svg' ../static/app.css | sort -u); do
  cp "$package/assets/$image" ../static/images/
done

mkdir -p ../tests/vendor
cp node_modules/axe-core/axe.min.js ../tests/vendor/axe.min.js

sh vendor.sh > ../static/VENDOR.md
