//go:build tools

// Names what is built here: litewitness, a witness that nobody here wrote.
package main

import _ "filippo.io/torchwood/cmd/litewitness"
