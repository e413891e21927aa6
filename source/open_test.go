package source

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/zstd"

	"friendmigrate/migrate/disk"
)

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, content)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t *testing.T, content string, o ...zstd.EOption) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, append(o, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, content)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// incompressible rows, so that compressed data is longer than any buffer.
func manyRows(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("From_Account,To_Account,AddSource\n")
	for range n {
		fmt.Fprintf(&b, "u%d,v%d,%s\n", random.Uint64(), random.Uint64(), src)
	}
	return b.String()
}

func TestCompressedInputs(t *testing.T) {
	const one, two = "From_Account,To_Account,AddSource\na,b," + src + "\n", "c,d," + src + "\n"
	for name, in := range map[string]text{
		"gzip by name":           {"a.csv.gz", gzipped(t, one+two)},
		"gzip by magic bytes":    {"a.csv", gzipped(t, one+two)},
		"gzip of two members":    {"a.csv.gz", gzipped(t, one) + gzipped(t, two)},
		"zstd by name":           {"a.CSV.ZST", zstandard(t, one+two)},
		"zstd by magic bytes":    {"a.csv", zstandard(t, one+two)},
		"zstd of two frames":     {"a.csv.zst", zstandard(t, one) + zstandard(t, two)},
		"name without a format":  {"export", one + two},
		"gzip without a format":  {"export.gz", gzipped(t, one+two)},
		"name that says another": {"a.csv", one + two},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Format: CSV}
			if name == "name that says another" {
				o.Format = JSONL
			}
			r := mustRead(t, o, in.name, in.content)
			equal(t, "edges", r.pairs(), "a>b@2 c>d@3")
			sum := sha256.Sum256([]byte(in.content))
			equal(t, "digest of the raw content", r.Counts.Inputs[0].Digest, hex.EncodeToString(sum[:]))
			equal(t, "size", r.Counts.Inputs[0].Size, int64(len(in.content)))
			equal(t, "format", r.Counts.Inputs[0].Format, CSV)
		})
	}
}

func TestCompressionCutShortOrDamagedStopsTheJob(t *testing.T) {
	content := manyRows(20000)
	packed := map[string]string{"a.csv.gz": gzipped(t, content), "a.csv.zst": zstandard(t, content)}
	short := map[string]string{"a.csv.gz": gzipped(t, manyRows(2)), "a.csv.zst": zstandard(t, manyRows(2))}
	refuse := func(name, content, want string) {
		t.Helper()
		_, err := readTexts(t, Options{}, nil, text{name, content})
		var unusable *InputError
		if !errors.As(err, &unusable) || !errors.Is(err, ErrUnusable) || !strings.HasSuffix(unusable.Name, name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, whole := range packed {
		for _, n := range []int{len(whole) / 3, len(whole) - 8, len(whole) - 1} {
			refuse(name, whole[:n], fmt.Sprintf("it ends after byte %d", n))
		}
		flipped := []byte(whole)
		flipped[len(flipped)-3] ^= 1 // in the checksum
		refuse(name, string(flipped), "damaged, at or before byte")
		flipped = []byte(whole)
		flipped[len(flipped)/2] ^= 1
		refuse(name, string(flipped), "byte")
	}
	for name, whole := range short {
		for n := 1; n < len(whole); n++ { // a file of no bytes is an empty input, whatever its name says
			refuse(name, whole[:n], "")
		}
	}
	second := gzipped(t, "c,d,"+src+"\n")
	for n := 1; n < len(second); n++ {
		refuse("a.csv.gz", short["a.csv.gz"]+second[:n], "")
	}
	refuse("a.csv.gz", content, "is not gzip")
	refuse("a.csv.zst", content, "is not zstd")
	refuse("a.jsonl.gz", packed["a.csv.zst"], "is not gzip")
}

func TestWhatFollowsCompressedData(t *testing.T) {
	const one, two = "From_Account,To_Account,AddSource\na,b," + src + "\n", "c,d," + src + "\n"
	zeros := strings.Repeat("\x00", 1000)
	skipped := "\x5a\x2a\x4d\x18\x03\x00\x00\x00\x01\x02\x03"
	g1, g2, z1, z2 := gzipped(t, one), gzipped(t, two), zstandard(t, one), zstandard(t, two)
	noSums := zstandard(t, one, zstd.WithEncoderCRC(false))
	for i, in := range []text{
		{"a.csv.gz", g1 + g2 + zeros}, {"a.csv.gz", g1 + g2 + "\x00"}, {"a.csv.gz", g1 + zeros + g2}, {"a.csv", g1 + g2 + zeros},
		{"a.csv.zst", skipped + z1 + skipped + z2 + skipped}, {"a.csv.zst", noSums + z2},
	} {
		r, err := readTexts(t, Options{}, nil, in)
		if err != nil || r.pairs() != "a>b@2 c>d@3" {
			t.Errorf("%d: %s, %v", i, r.pairs(), err)
		}
	}
	for i, c := range []struct {
		packed string
		at     int
	}{
		{g1 + "junk\n", len(g1)}, {g1 + "\x1f", len(g1)}, {g1 + zeros + "x", len(g1) + 1000},
		{g1 + strings.Repeat("7", 300_000), len(g1)}, {g1 + z1, len(g1)}, {g1 + g2 + one, len(g1 + g2)},
	} {
		_, err := readTexts(t, Options{}, nil, text{"a.csv.gz", c.packed})
		want := fmt.Sprintf("something that is not gzip follows the compressed data at byte %d", c.at)
		var unusable *InputError
		if !errors.As(err, &unusable) || unusable.Reason != want {
			t.Errorf("%d: got %v, want %s", i, err, want)
			continue
		}
		if fix := unusable.Fix(filepath.Base); !strings.HasPrefix(fix, fmt.Sprintf("head -c %d < a.csv.", c.at)) {
			t.Errorf("%d: %s", i, fix)
		}
	}
	for i, packed := range []string{z1 + "j", z1 + "junk\n", z1 + zeros, z1 + z2 + g1, noSums + "\x28"} {
		_, err := readTexts(t, Options{}, nil, text{"a.csv.zst", packed})
		var unusable *InputError
		if !errors.As(err, &unusable) || !strings.Contains(unusable.Reason, fmt.Sprintf("byte %d", len(packed))) {
			t.Errorf("zstd %d: got %v", i, err)
		}
	}
}

func TestZstdWindowIsBounded(t *testing.T) {
	rows := manyRows(20000)
	single, err := zstd.NewWriter(nil, zstd.WithSingleSegment(true)) // the window is the content's size
	if err != nil {
		t.Fatal(err)
	}
	for _, packed := range []string{
		zstandard(t, rows, zstd.WithWindowSize(128<<20)), string(single.EncodeAll([]byte(rows), nil)),
	} {
		_, err := readTexts(t, Options{}, func(r *reading) { r.opener.window = 256 << 10 }, text{"a.csv.zst", packed})
		if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "--memory") {
			t.Errorf("got %v", err)
		}
	}
}

// failingFS fails reads of one file with err once it has given after bytes.
type failingFS struct {
	disk.OS
	after int
	err   error
}

func (f failingFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.OS.OpenFile(name, flag, perm)
	if err != nil || !strings.HasSuffix(name, ".csv") || flag != os.O_RDONLY {
		return file, err
	}
	return &failingFile{File: file, left: f.after, err: f.err}, nil
}

type failingFile struct {
	disk.File
	left int
	err  error
}

func (f *failingFile) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, f.err
	}
	n, err := f.File.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

func TestFailingDiskIsNotTheInputsFault(t *testing.T) {
	broken := errors.New("input/output error")
	for _, content := range []string{manyRows(2000), gzipped(t, manyRows(2000))} {
		_, err := readTexts(t, Options{}, func(r *reading) { r.opener.fs = failingFS{after: 5000, err: broken} }, text{"a.csv", content})
		if !errors.Is(err, broken) || errors.Is(err, ErrUnusable) {
			t.Errorf("got %v", err)
		}
	}
}

// growingFS appends to a file as soon as it was opened and looked at.
type growingFS struct{ disk.OS }

func (f growingFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return growingFile{file}, nil
}

type growingFile struct{ disk.File }

func (f growingFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(f.Name(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	io.WriteString(file, "x,y,"+src+"\n")
	return info, file.Close()
}

func TestInputThatGrowsWhileItIsReadIsRefused(t *testing.T) {
	_, err := readTexts(t, Options{}, func(r *reading) { r.opener.fs = growingFS{} }, text{"a.csv", manyRows(3)})
	if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "changed while") {
		t.Fatalf("got %v", err)
	}
}

// A pipe gives nothing the second time: reading would wait for ever.
func TestAPipeIsNamedOnce(t *testing.T) {
	dir := t.TempDir()
	pipe, link, other := filepath.Join(dir, "p.csv"), filepath.Join(dir, "link.csv"), filepath.Join(dir, "other.csv")
	for _, name := range []string{pipe, other} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Skip(err)
		}
	}
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		inputs []string
		ok     bool
	}{{[]string{pipe}, true}, {[]string{pipe, other}, true}, {[]string{pipe, other, pipe}, false}, {[]string{pipe, link}, false}} {
		_, _, err := Request{Inputs: c.inputs}.Resolve(t.Context())
		if c.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), "once only") {
			t.Errorf("%s: got %v", c.inputs, err)
		}
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.csv", "a.jsonl.gz", "c.NDJSON", "notes.txt", ".hidden.csv", "_SUCCESS", "part-0"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "sub.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	resolve := func(format string, args ...string) string {
		found, _, err := Request{Inputs: args, Options: Options{Format: format}}.Resolve(t.Context())
		if err != nil {
			if !errors.Is(err, ErrUnusable) {
				t.Errorf("got %v", err)
			}
			return "refused"
		}
		var names []string
		for _, in := range found {
			names = append(names, in.Name)
		}
		return strings.ReplaceAll(strings.Join(names, " "), dir+string(filepath.Separator), "")
	}
	equal(t, "folder", resolve("", dir), "a.jsonl.gz b.csv c.NDJSON")
	equal(t, "folder with a format", resolve("csv", dir), "a.jsonl.gz b.csv c.NDJSON notes.txt part-0")
	equal(t, "order of the arguments", resolve("csv", filepath.Join(dir, "b.csv"), Standard, filepath.Join(dir, "a.jsonl.gz")), "b.csv - a.jsonl.gz")
	equal(t, "not there", resolve("", filepath.Join(dir, "nope.csv")), "refused")
	equal(t, "no format", resolve("", filepath.Join(dir, "notes.txt")), "refused")
	equal(t, "standard input without a format", resolve("", Standard), "refused")
	equal(t, "standard input twice", resolve("csv", Standard, Standard), "refused")
	equal(t, "folder with nothing in it", resolve("", filepath.Join(dir, "sub.csv")), "refused")
	if _, _, err := (Request{}).Resolve(t.Context()); !errors.Is(err, ErrUnusable) {
		t.Errorf("nothing: got %v", err)
	}
}

// What is wrong with a path is the user's to fix, and is said once.
func TestPathsThatLeadNowhere(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.WriteFile("file", nil, 0o600), os.Symlink("loop.csv", "loop.csv")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"gone.csv":                          "there is no such file",
		"file/a.csv":                        "it cannot be opened: not a directory",
		"loop.csv":                          "it cannot be opened: too many levels of symbolic links",
		strings.Repeat("x", 300) + ".csv":   "it cannot be opened: file name too long",
		"file:///dir/e.csv":                 "a file is named by its path alone",
		"https://host.example.com/file.csv": "objects are named s3://BUCKET/KEY, and --s3-endpoint says of which store",
	} {
		_, err := ReadInputs(t.Context(), Request{Inputs: []string{name}, StateDir: "state", FS: quickFS{}})
		unusable, _ := errors.AsType[*InputError](err)
		if unusable == nil || err.Error() != fmt.Sprintf("input %q: %s", name, want) {
			t.Errorf("got %v, want %s", err, want)
		} else if web := strings.HasPrefix(name, "http"); web != strings.HasPrefix(unusable.Command(filepath.Clean), "curl ") {
			t.Errorf("%s: the command is %s", name, unusable.Command(filepath.Clean))
		} else if strings.Contains(unusable.Command(filepath.Clean), "file:") {
			t.Errorf("%s is no path: %s", name, unusable.Command(filepath.Clean))
		}
	}
}
