package objects_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"friendmigrate/source"
	"friendmigrate/source/objects"
)

const src = "AddSource_Type_Test"

func manyRows(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("From_Account,To_Account,AddSource\n")
	for range n {
		fmt.Fprintf(&b, "u%d,v%d,%s\n", random.Uint64(), random.Uint64(), src)
	}
	return b.String()
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// staged stages and seals a job.
func staged(t *testing.T, j source.Request) *source.Unsealed {
	t.Helper()
	j.StateDir = t.TempDir()
	p, err := source.ReadInputs(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Seal()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

func storeOf(t *testing.T, s *fakeStore) *objects.Store {
	t.Helper()
	return impatient(t, s, 3*time.Second)
}

// impatient is a client that gives up a store that is silent for so long.
func impatient(t *testing.T, s *fakeStore, patience time.Duration) *objects.Store {
	t.Helper()
	store, err := objects.New(objects.Config{Endpoint: s.URL, Patience: patience, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// gets counts requests for content.
func gets(s *fakeStore) (n int) {
	for _, q := range s.Requests() {
		if q.Method == http.MethodGet && q.Key != "" {
			n++
		}
	}
	return n
}

func TestAnObjectIsStagedThroughResetsAsIfThereWereNone(t *testing.T) {
	t.Parallel()
	s := startFake(t)
	s.Put("p/a.csv.gz", zipped(t, manyRows(5000)), "")
	s.Put("p/b.csv", manyRows(3000), "")
	s.Put("p/notes.txt", "no input", "")
	s.Fail(nil, cutAfter(10), answer(503, "SlowDown"), cutAfter(0), reset) // the first request is the listing
	var last, total int64
	p := staged(t, source.Request{Inputs: []string{"s3://bucket/p/"}, Objects: storeOf(t, s), Progress: func(bytesRead, bytesTotal, _ int64) { last, total = bytesRead, bytesTotal }})
	if p.Totals.Edges != 5000 || p.Totals.Duplicates != 3000 {
		t.Errorf("%d edges, %d duplicates", p.Totals.Edges, p.Totals.Duplicates)
	}
	if last != total || total == 0 {
		t.Errorf("progress ends at %d of %d bytes", last, total)
	}
	for i, name := range []string{"s3://bucket/p/a.csv.gz", "s3://bucket/p/b.csv"} {
		if in := p.Counts.Inputs[i]; in.Name != name || in.ETag == "" || in.Size == 0 || in.ModTime == 0 || in.Digest == "" {
			t.Errorf("input %d is %+v", i, in)
		}
	}
}

func TestAnObjectThatCannotBeReadToItsEnd(t *testing.T) {
	t.Parallel()
	text := manyRows(5000)
	unreachable := make([]fault, 60)
	for i := range unreachable {
		unreachable[i] = answer(503, "SlowDown")
	}
	for _, c := range []struct {
		name   string
		faults []fault
		want   error
		says   string
	}{
		{"changed between two connections", []fault{nil, cutAfter(1000), answer(412, "PreconditionFailed")}, source.ErrUnusable, "changed while it was being read"},
		{"changed at the end", []fault{nil, nil, answer(412, "")}, source.ErrUnusable, "changed while it was being read"},
		{"deleted in the middle", []fault{nil, cutAfter(1000), answer(404, "NoSuchKey")}, source.ErrUnusable, "no such object"},
		{"forbidden in the middle", []fault{nil, cutAfter(1000), answer(403, "ExpiredToken")}, source.ErrUnusable, "ExpiredToken"},
		{"no answer for too long", append([]fault{nil, cutAfter(1000)}, unreachable...), source.ErrUnreachable, "SlowDown"},
	} {
		s := startFake(t)
		s.Put("in.csv", text, "")
		s.Fail(c.faults...)
		store := storeOf(t, s)
		if c.want == source.ErrUnreachable {
			store = impatient(t, s, 300*time.Millisecond)
		}
		_, err := source.ReadInputs(t.Context(), source.Request{Inputs: []string{"s3://bucket/in.csv"}, Objects: store, StateDir: t.TempDir()})
		if !errors.Is(err, c.want) || errors.Is(err, source.ErrUnusable) && errors.Is(err, source.ErrUnreachable) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "s3://bucket/in.csv") {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestAnObjectIsTrustedWhileItsETagIsTheSame(t *testing.T) {
	t.Parallel()
	s := startFake(t)
	s.Put("p/in.csv", manyRows(10), "")
	args := source.Request{Inputs: []string{"s3://bucket/p/in.csv"}, Objects: storeOf(t, s)}
	p := staged(t, source.Request{Inputs: args.Inputs, Objects: args.Objects})
	recorded := p.Counts.Inputs
	verdict := func(reads int, args source.Request) source.Comparison {
		t.Helper()
		before := gets(s)
		c, err := source.Compare(t.Context(), recorded, args)
		if err != nil {
			t.Fatal(err)
		}
		if n := gets(s) - before; n != reads {
			t.Errorf("%d requests for content, want %d", n, reads)
		}
		return c
	}
	equal(t, "as it was", verdict(0, args).Match, source.Same)
	equal(t, "named by its prefix", verdict(0, source.Request{Inputs: []string{"s3://bucket/p/"}, Objects: args.Objects}).Match, source.Same)

	s.Put("p/in.csv", manyRows(10), "-2") // uploaded again in parts: a later time, another ETag
	c := verdict(1, args)
	if c.Match != source.Same || !c.Updated || c.Inputs[0].ETag == recorded[0].ETag || c.Inputs[0].Format != source.CSV {
		t.Errorf("uploaded again: %+v", c)
	}
	recorded = c.Inputs
	equal(t, "uploaded again, the next time", verdict(0, args).Match, source.Same)

	for range 300 {
		s.Fail(answer(503, "SlowDown"))
	}
	c = verdict(0, args)
	if c.Match != source.Gone || !strings.Contains(c.Reasons[0], "cannot be reached") {
		t.Errorf("out of reach: %+v", c)
	}
	s.Heal()
	s.Put("p/in.csv", strings.Replace(manyRows(10), "1", "2", 1), "")
	equal(t, "other content", verdict(1, args).Match, source.Different)
	s.Delete("p/in.csv")
	equal(t, "gone", verdict(1, args).Match, source.Gone) // asked why, which has no content
	equal(t, "the prefix is gone", verdict(0, source.Request{Inputs: []string{"s3://bucket/p/"}, Objects: args.Objects}).Match, source.Gone)
	s.Fail(answer(403, "AccessDenied"), answer(403, "AccessDenied"))
	c = verdict(1, args) // asked why
	if c.Match != source.Gone || !strings.Contains(c.Reasons[0], "cannot be read: access denied") {
		t.Errorf("forbidden: %+v", c)
	}
}

func TestObjectsAsArguments(t *testing.T) {
	s := startFake(t)
	for _, key := range []string{"b.csv", "p/b.csv", "p/a.jsonl.gz", "p/notes.txt", "p/.hidden.csv", "p/_SUCCESS", "p/part-0", "p/below/x.csv", "p/", "q/notes.txt", "r/dt=1/a.csv", "p/_part-1.csv", "a b&c?d#é.csv"} {
		s.Put(key, "rows", "")
	}
	store := storeOf(t, s)
	resolve := func(format string, args ...string) string {
		found, _, err := source.Request{Inputs: args, Options: source.Options{Format: format}, Objects: store}.Resolve(t.Context())
		if err != nil {
			if !errors.Is(err, source.ErrUnusable) {
				t.Errorf("got %v", err)
			}
			return "refused"
		}
		var names []string
		for _, in := range found {
			equal(t, in.Name, in.Size, 4)
			names = append(names, strings.TrimPrefix(in.Name, "s3://bucket/"))
		}
		return strings.Join(names, " ")
	}
	equal(t, "an object", resolve("", "s3://bucket/b.csv"), "b.csv")
	equal(t, "a key with odd characters", resolve("", "s3://bucket/a b&c?d#é.csv"), "a b&c?d#é.csv")
	equal(t, "a prefix", resolve("", "s3://bucket/p/"), "p/a.jsonl.gz p/b.csv")
	equal(t, "a prefix without its /", resolve("", "s3://bucket/p"), "p/a.jsonl.gz p/b.csv")
	equal(t, "a prefix with a format", resolve("csv", "s3://bucket/p/"), "p/a.jsonl.gz p/b.csv p/notes.txt p/part-0")
	equal(t, "a bucket", resolve("", "s3://bucket"), "a b&c?d#é.csv b.csv")
	equal(t, "a prefix without inputs", resolve("", "s3://bucket/q/"), "refused")
	equal(t, "a prefix without objects", resolve("", "s3://bucket/nope/"), "refused")
	equal(t, "a part of a name is no prefix", resolve("", "s3://bucket/p/a"), "refused")
	equal(t, "no format", resolve("", "s3://bucket/p/notes.txt"), "refused")
	equal(t, "a prefix with folders alone", resolve("", "s3://bucket/r/"), "refused")
	_, left, err := source.Request{Inputs: []string{"s3://bucket/p/"}, Objects: store}.Resolve(t.Context())
	equal(t, "left out", left.String(), `2 files and 1 folder: "s3://bucket/p/below/", "s3://bucket/p/notes.txt", "s3://bucket/p/part-0"`)
	if err != nil {
		t.Error(err)
	}
	equal(t, "no bucket", resolve("", "s3://nobucket/p/"), "refused")
	equal(t, "no name", resolve("", "s3://"), "refused")
	if _, _, err := (source.Request{Inputs: []string{"s3://bucket/b.csv"}}).Resolve(t.Context()); !errors.Is(err, source.ErrUnusable) {
		t.Errorf("without a store: got %v", err)
	}
}

func TestReadingAnObjectEndsWithTheContext(t *testing.T) {
	s := startFake(t)
	s.Put("in.csv", manyRows(10), "")
	ctx, cancel := context.WithCancel(t.Context())
	s.Fail(nil, func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		w.Header().Set("Last-Modified", time.Unix(0, 0).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write(data[:50])
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
		return true
	})
	_, err := source.ReadInputs(ctx, source.Request{Inputs: []string{"s3://bucket/in.csv"}, Objects: storeOf(t, s), StateDir: t.TempDir()})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnyNumberOfObjects(t *testing.T) {
	s := startFake(t)
	for i := range 40 {
		s.Put(fmt.Sprintf("p/%02d.csv", i), fmt.Sprintf("From_Account,To_Account,AddSource\nu%d,v,%s\n", i, src), "")
	}
	p := staged(t, source.Request{Inputs: []string{"s3://bucket/p/"}, Objects: storeOf(t, s), Lanes: 1})
	equal(t, "edges", p.Totals.Edges, 40)
}

func TestAnObjectWithoutARowIsRefused(t *testing.T) {
	s := startFake(t)
	s.Put("none.csv", "", "")
	s.Put("none.jsonl.gz", zipped(t, ""), "")
	s.Put("p/header.csv", "From_Account,To_Account,AddSource\n", "")
	s.Put("p/none.csv.gz", "", "")
	s.Put("q/rows.csv", manyRows(1), "")
	s.Put("q/none.csv", "", "")
	s.Put("r/_SUCCESS", "", "")
	for inputs, want := range map[string]string{
		"none.csv": `no rows in "s3://bucket/none.csv": it is empty`, "none.jsonl.gz": `no rows in "s3://bucket/none.jsonl.gz": it is empty`,
		"p/": `no rows in "s3://bucket/p/header.csv", "s3://bucket/p/none.csv.gz"`, "q/": "", "q/ r/": "",
		"r/": `no rows in "s3://bucket/r/": there is no file to read in it`,
	} {
		j := source.Request{Objects: storeOf(t, s), StateDir: t.TempDir()}
		for name := range strings.FieldsSeq(inputs) {
			j.Inputs = append(j.Inputs, "s3://bucket/"+name)
		}
		p, err := source.ReadInputs(t.Context(), j)
		if want == "" && err == nil {
			equal(t, inputs, p.Counts.Empty[0], "s3://bucket/q/none.csv")
			err = p.Abort()
		} else if want != "" && (err == nil || err.Error() != want || !errors.Is(err, source.ErrUnusable)) {
			t.Errorf("%s: got %v", inputs, err)
			continue
		}
		if want == "" && err != nil {
			t.Errorf("%s: %v", inputs, err)
		}
	}
}

func TestAnObjectWithCRLineEndsIsRefusedWithTheCommandForACopy(t *testing.T) {
	s := startFake(t)
	s.Put("a.csv", strings.ReplaceAll(manyRows(2), "\n", "\r"), "")
	s.Put("a", `{"To_Account":"b"}`+"\r"+`{"To_Account":"c"}`, "")
	for name, format := range map[string]string{"a.csv": source.CSV, "a": source.JSONL} {
		j := source.Request{Inputs: []string{"s3://bucket/" + name}, Options: source.Options{Format: format}, Objects: storeOf(t, s), StateDir: t.TempDir()}
		_, err := source.ReadInputs(t.Context(), j)
		var unusable *source.InputError
		if !errors.As(err, &unusable) || !strings.Contains(unusable.Reason, "CR alone") {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		command := unusable.Fix(func(name string) string { return name })
		if !strings.HasPrefix(command, `tr '\r' '\n' < `+name) || !strings.Contains(command, "-new."+format) {
			t.Errorf("%s: the command is %s", name, command)
		}
	}
}
