// A log that nobody here wrote (Tessera) asks a witness for its cosignature. `key FOLDER NAME` makes the log's key and prints its
// verifier key; `run FOLDER POLICY` makes a log of some entries whose checkpoint is published only with what the policy asks for, and
// prints that checkpoint.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"crypto/rand"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func work() error {
	if len(os.Args) != 4 {
		return errors.New("usage: witnessed key FOLDER NAME | run FOLDER POLICY")
	}
	secret := filepath.Join(os.Args[2], "secret")
	if os.Args[1] == "key" {
		skey, vkey, err := note.GenerateKey(rand.Reader, os.Args[3])
		if err != nil {
			return err
		}
		fmt.Println(vkey)
		return os.WriteFile(secret, []byte(skey), 0o600)
	}
	skey, err := os.ReadFile(secret)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(string(skey))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(os.Args[3])
	if err != nil {
		return err
	}
	witnesses, err := tessera.NewWitnessGroupFromPolicy(text)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	driver, err := posix.New(ctx, posix.Config{Path: filepath.Join(os.Args[2], "log")})
	if err != nil {
		return err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(1, 100*time.Millisecond).
		WithCheckpointInterval(100*time.Millisecond).
		WithWitnesses(witnesses, nil)
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 100*time.Millisecond)
	var checkpoint []byte
	for number := range 3 {
		entry := appender.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "entry %d", number)))
		if _, checkpoint, err = awaiter.Await(ctx, entry); err != nil {
			return err
		}
	}
	fmt.Print(string(checkpoint))
	return shutdown(ctx)
}
