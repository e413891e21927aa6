package accounts

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
)

// File is a file that names accounts: one id a line, or a CSV with From_Account as its first column. Nothing of an id is trimmed but the end of its line; empty
// lines and an id that is that of the line before are passed over.
type File struct {
	Name   string
	Count  int64
	Digest string // SHA-256 of the whole file, in hex
}

// Account is one of them.
type Account struct {
	ID   string
	Line int64
}

// maxLine is far above any account id (32 bytes) and any row of our lists.
const maxLine = 1 << 20

const header = "From_Account"

// Open reads the file once to count and digest it.
func Open(ctx context.Context, name string) (*File, error) {
	a := &File{Name: name}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return nil, err
	}
	a.Digest = hex.EncodeToString(sum.Sum(nil))
	for _, err := range a.All(ctx) {
		if err != nil {
			return nil, err
		}
		a.Count++
	}
	if a.Count == 0 {
		return nil, fmt.Errorf("%q names no account", name)
	}
	return a, nil
}

// All lists the accounts.
func (a *File) All(ctx context.Context) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		f, err := os.Open(a.Name)
		if err != nil {
			yield(Account{}, err)
			return
		}
		defer f.Close()
		before := ""
		err = eachLine(f, func(id string, line int64) error {
			if id == "" || id == before {
				return ctx.Err()
			}
			before = id
			if !yield(Account{ID: id, Line: line}, nil) {
				return errStop
			}
			return ctx.Err()
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(Account{}, fmt.Errorf("read accounts %q: %w", a.Name, err))
		}
	}
}

var errStop = errors.New("enough")

func eachLine(f io.Reader, each func(id string, line int64) error) error {
	r := bufio.NewReaderSize(f, 64<<10)
	if mark, _ := r.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = r.Discard(3)
	}
	if head, _ := r.Peek(len(header) + 1); strings.HasPrefix(string(head), header) && (len(head) == len(header) || strings.ContainsRune(",\r\n", rune(head[len(header)]))) {
		return eachRecord(r, each)
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for line := int64(1); lines.Scan(); line++ {
		if err := each(lines.Text(), line); err != nil { // without CR LF
			return err
		}
	}
	return lines.Err()
}

// eachRecord is eachLine for a CSV.
func eachRecord(r io.Reader, each func(id string, line int64) error) error {
	rows := csv.NewReader(r)
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	if _, err := rows.Read(); err != nil {
		return err
	}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := rows.FieldPos(0)
		if err := each(strings.Clone(row[0]), int64(line)); err != nil {
			return err
		}
	}
}
