#!/bin/sh
# Print static/VENDOR.md: what comes from where, under which licence, with the SHA-256 of each file.
set -eu
cd "$(dirname "$0")/../static"
cat <<'TEXT'
# Files in this folder that come from elsewhere

| File | Source |
| --- | --- |
| `app.css` | built by `frontend/build.sh` from npm package nhsuk-frontend 10.6.1 and our own `frontend/scss/` |
| `nhsuk-frontend.min.js` | npm package nhsuk-frontend 10.6.1, without its source map comment |
| `images/nhsuk-icon-*.svg` | npm package nhsuk-frontend 10.6.1, only those that `app.css` names |

`app.js` and whatever is not listed here are Hedgerow's own.

## SHA-256

```
TEXT
sha256sum app.css nhsuk-frontend.min.js images/*.svg
cat <<'TEXT'
```

## Licence of nhsuk-frontend

MIT License

Copyright (c) 2019 NHS.UK

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
TEXT
