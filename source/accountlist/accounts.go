package accountlist

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"friendmigrate/source"
)

// File is a list of accounts that was read once and found sound.
type File struct {
	Name   string
	Count  int64
	First  Account
	Digest string // SHA-256 in hex, of the whole content
	Stream bool   // a pipe or standard input, which can be read only once

	content []byte // of a stream
}

// Account is an account of a list.
type Account struct {
	ID   string
	Line int64
}

const (
	maxLine   = 1 << 20  // bytes of a line, far above any account id and any row of our lists
	maxStream = 64 << 20 // bytes of a stream
)

// MostSeen is how many ids are kept to skip repetitions.
const MostSeen = 1 << 18

// Open reads a list to its end, and checks, counts and digests it. "-" is standard input. Open may
// wait for a stream.
func Open(name string, stdin io.Reader) (*File, error) {
	info, err := os.Stat(name)
	a := &File{Name: name, Stream: name == source.Standard || err == nil && !info.Mode().IsRegular()}
	switch {
	case name == source.Standard:
		a.content, err = wholeStream(stdin)
	case err == nil && info.IsDir():
		return nil, listError{&source.InputError{Name: name, Reason: "is a folder"}}
	case a.Stream:
		var stream *os.File
		if stream, err = os.Open(name); err == nil {
			a.content, err = wholeStream(stream)
			stream.Close() // only read from
		}
	}
	if err == nil {
		err = a.check()
	}
	if wrong, _ := errors.AsType[*source.InputError](err); wrong != nil && a.Stream && name != source.Standard {
		wrong.Fix = nil // the stream is at its end
	}
	if err != nil {
		return nil, err
	}
	if a.Count == 0 {
		return nil, fault(name, 0, "names no account")
	}
	return a, nil
}

// check reads the list to its end.
func (a *File) check() error {
	f, err := a.open()
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	err = a.each(io.TeeReader(f, sum), func(account Account) error {
		if a.Count == 0 {
			a.First = account
		}
		a.Count++
		return nil
	})
	a.Digest = hex.EncodeToString(sum.Sum(nil))
	return err
}

// All yields the accounts in the order of the list. A repeated id is skipped if it is one of the
// first MostSeen ids or repeats the one before it, as in a CSV of edges that are grouped.
func (a *File) All(ctx context.Context) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		f, err := a.open()
		if err != nil {
			yield(Account{}, err)
			return
		}
		defer f.Close()
		err = a.each(f, func(account Account) error {
			if !yield(account, nil) {
				return errStop
			}
			return context.Cause(ctx)
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(Account{}, err)
		}
	}
}

func (a *File) each(content io.Reader, take func(Account) error) error {
	seen, last := map[string]bool{}, ""
	return eachID(a.Name, content, func(id string, line int64) error {
		if id == last || seen[id] {
			return nil
		}
		if last = id; len(seen) < MostSeen {
			seen[id] = true
		}
		return take(Account{ID: id, Line: line})
	})
}

// Set returns a map with all accounts of the list as keys. Each value is false.
func (a *File) Set(ctx context.Context) (map[string]bool, error) {
	set := make(map[string]bool, a.Count)
	for account, err := range a.All(ctx) {
		if err != nil {
			return nil, err
		}
		set[account.ID] = false
	}
	return set, nil
}

var errStop = errors.New("enough")

func (a *File) open() (io.ReadCloser, error) {
	if a.Stream {
		return io.NopCloser(bytes.NewReader(a.content)), nil
	}
	return os.Open(a.Name)
}

// wholeStream reads a pipe or a terminal.
func wholeStream(f io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(f, maxStream+1))
	if err == nil && len(content) > maxStream {
		err = fmt.Errorf("a stream of over %d MiB: write it to a file and name that", maxStream>>20)
	}
	return content, err
}
