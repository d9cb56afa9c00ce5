// Checks a log with a client that nobody here wrote: Tessera's fsck reads every tile and bundle, hashes the entries, and holds the
// root against the signed checkpoint. Arguments: the log's URL (http: or file:) and a file with its verifier key.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := check(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("the log holds")
}

func check() error {
	if len(os.Args) != 3 {
		return errors.New("usage: tlog URL VKEY-FILE")
	}
	key, err := os.ReadFile(os.Args[2])
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return err
	}
	source, err := fetcher(os.Args[1])
	if err != nil {
		return err
	}
	return fsck.New(verifier.Name(), verifier, source, leaves, fsck.Opts{N: 2}).Check(context.Background())
}

func fetcher(address string) (fsck.Fetcher, error) {
	root, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if root.Scheme == "file" {
		return client.FileFetcher{Root: root.Path}, nil
	}
	return client.NewHTTPFetcher(root, nil)
}

// leaves gives the leaf hashes of the entries of a bundle.
func leaves(bundle []byte) ([][]byte, error) {
	entries := &api.EntryBundle{}
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(entries.Entries))
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}
