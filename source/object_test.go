package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"friendmigrate/source/objects"
	"friendmigrate/source/objects/fake"
)

func storeOf(t *testing.T, s *fake.Store) *objects.Store {
	t.Helper()
	return impatient(t, s, 3*time.Second)
}

// impatient is a client that gives up a store that is silent for so long.
func impatient(t *testing.T, s *fake.Store, patience time.Duration) *objects.Store {
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
func gets(s *fake.Store) (n int) {
	for _, q := range s.Requests() {
		if q.Method == http.MethodGet && q.Key != "" {
			n++
		}
	}
	return n
}

func TestAnObjectIsStagedThroughResetsAsIfThereWereNone(t *testing.T) {
	s := fake.Start(t)
	s.Put("p/a.csv.gz", zipped(t, manyRows(5000)), "")
	s.Put("p/b.csv", manyRows(3000), "")
	s.Put("p/notes.txt", "no input", "")
	s.Fail(nil, fake.CutAfter(10), fake.Answer(503, "SlowDown"), fake.CutAfter(0), fake.Reset) // the first request is the listing
	var last, total int64
	p, _, edges := staged(t, Job{Inputs: []string{"s3://bucket/p/"}, Objects: storeOf(t, s), Progress: func(bytesRead, bytesTotal, _ int64) { last, total = bytesRead, bytesTotal }})
	if len(edges) != 5000 || p.Totals.Duplicates != 3000 {
		t.Errorf("%d edges, %d duplicates", len(edges), p.Totals.Duplicates)
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
	text := manyRows(5000)
	unreachable := make([]fake.Fault, 60)
	for i := range unreachable {
		unreachable[i] = fake.Answer(503, "SlowDown")
	}
	for _, c := range []struct {
		name   string
		faults []fake.Fault
		want   error
		says   string
	}{
		{"changed between two connections", []fake.Fault{nil, fake.CutAfter(1000), fake.Answer(412, "PreconditionFailed")}, ErrUnusable, "changed while it was being read"},
		{"changed at the end", []fake.Fault{nil, nil, fake.Answer(412, "")}, ErrUnusable, "changed while it was being read"},
		{"deleted in the middle", []fake.Fault{nil, fake.CutAfter(1000), fake.Answer(404, "NoSuchKey")}, ErrUnusable, "no such object"},
		{"forbidden in the middle", []fake.Fault{nil, fake.CutAfter(1000), fake.Answer(403, "ExpiredToken")}, ErrUnusable, "expired"},
		{"no answer for too long", append([]fake.Fault{nil, fake.CutAfter(1000)}, unreachable...), ErrUnreachable, "SlowDown"},
	} {
		s := fake.Start(t)
		s.Put("in.csv", text, "")
		s.Fail(c.faults...)
		store := storeOf(t, s)
		if c.want == ErrUnreachable {
			store = impatient(t, s, 300*time.Millisecond)
		}
		_, err := Stage(t.Context(), Job{Inputs: []string{"s3://bucket/in.csv"}, Objects: store, StateDir: t.TempDir(), FS: quickFS{}})
		if !errors.Is(err, c.want) || errors.Is(err, ErrUnusable) && errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "s3://bucket/in.csv") {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestAnObjectIsTrustedWhileItsETagIsTheSame(t *testing.T) {
	s := fake.Start(t)
	s.Put("p/in.csv", manyRows(10), "")
	args := Arguments{Inputs: []string{"s3://bucket/p/in.csv"}, Objects: storeOf(t, s)}
	p, _, _ := staged(t, Job{Inputs: args.Inputs, Objects: args.Objects})
	recorded := p.Counts.Inputs
	verdict := func(reads int, args Arguments) Comparison {
		t.Helper()
		before := gets(s)
		c, err := Compare(t.Context(), recorded, args)
		if err != nil {
			t.Fatal(err)
		}
		if n := gets(s) - before; n != reads {
			t.Errorf("%d requests for content, want %d", n, reads)
		}
		return c
	}
	equal(t, "as it was", verdict(0, args).Verdict, Same)
	equal(t, "named by its prefix", verdict(0, Arguments{Inputs: []string{"s3://bucket/p/"}, Objects: args.Objects}).Verdict, Same)

	s.Put("p/in.csv", manyRows(10), "-2") // uploaded again in parts: a later time, another ETag
	c := verdict(1, args)
	if c.Verdict != Same || !c.Updated || c.Inputs[0].ETag == recorded[0].ETag || c.Inputs[0].Format != CSV {
		t.Errorf("uploaded again: %+v", c)
	}
	recorded = c.Inputs
	equal(t, "uploaded again, the next time", verdict(0, args).Verdict, Same)

	for range 300 {
		s.Fail(fake.Answer(503, "SlowDown"))
	}
	c = verdict(0, args)
	if c.Verdict != Gone || !strings.Contains(c.Reasons[0], "cannot be reached") {
		t.Errorf("out of reach: %+v", c)
	}
	s.Heal()
	s.Put("p/in.csv", strings.Replace(manyRows(10), "1", "2", 1), "")
	equal(t, "other content", verdict(1, args).Verdict, Different)
	s.Delete("p/in.csv")
	equal(t, "gone", verdict(1, args).Verdict, Gone) // asked why, which has no content
	equal(t, "the prefix is gone", verdict(0, Arguments{Inputs: []string{"s3://bucket/p/"}, Objects: args.Objects}).Verdict, Gone)
	s.Fail(fake.Answer(403, "AccessDenied"), fake.Answer(403, "AccessDenied"))
	if _, err := Compare(t.Context(), recorded, args); !errors.Is(err, ErrUnusable) {
		t.Errorf("forbidden: got %v", err)
	}
}

func TestObjectsAsArguments(t *testing.T) {
	s := fake.Start(t)
	for _, key := range []string{"b.csv", "p/b.csv", "p/a.jsonl.gz", "p/notes.txt", "p/.hidden.csv", "p/_SUCCESS", "p/part-0", "p/below/x.csv", "p/", "q/notes.txt", "r/dt=1/a.csv", "p/_part-1.csv", "a b&c?d#é.csv"} {
		s.Put(key, "rows", "")
	}
	store := storeOf(t, s)
	resolve := func(format string, args ...string) string {
		found, _, err := Arguments{Inputs: args, Format: format, Objects: store}.Resolve(t.Context())
		if err != nil {
			if !errors.Is(err, ErrUnusable) {
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
	_, left, err := Arguments{Inputs: []string{"s3://bucket/p/"}, Objects: store}.Resolve(t.Context())
	equal(t, "left out", left.String(), `2 files and 1 folder: "s3://bucket/p/below/", "s3://bucket/p/notes.txt", "s3://bucket/p/part-0"`)
	if err != nil {
		t.Error(err)
	}
	equal(t, "no bucket", resolve("", "s3://nobucket/p/"), "refused")
	equal(t, "no name", resolve("", "s3://"), "refused")
	if _, _, err := (Arguments{Inputs: []string{"s3://bucket/b.csv"}}).Resolve(t.Context()); !errors.Is(err, ErrUnusable) {
		t.Errorf("without a store: got %v", err)
	}
}

func TestReadingAnObjectEndsWithTheContext(t *testing.T) {
	s := fake.Start(t)
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
	_, err := Stage(ctx, Job{Inputs: []string{"s3://bucket/in.csv"}, Objects: storeOf(t, s), StateDir: t.TempDir(), FS: quickFS{}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnyNumberOfObjects(t *testing.T) {
	s := fake.Start(t)
	for i := range 40 {
		s.Put(fmt.Sprintf("p/%02d.csv", i), fmt.Sprintf("From_Account,To_Account,AddSource\nu%d,v,%s\n", i, src), "")
	}
	_, _, edges := staged(t, Job{Inputs: []string{"s3://bucket/p/"}, Objects: storeOf(t, s), Lanes: 1, FS: quickFS{}})
	equal(t, "edges", len(edges), 40)
}

func TestAnObjectWithoutARowIsRefused(t *testing.T) {
	s := fake.Start(t)
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
		j := Job{Objects: storeOf(t, s), StateDir: t.TempDir(), FS: quickFS{}}
		for name := range strings.FieldsSeq(inputs) {
			j.Inputs = append(j.Inputs, "s3://bucket/"+name)
		}
		p, err := Stage(t.Context(), j)
		if want == "" && err == nil {
			equal(t, inputs, p.Counts.Empty[0], "s3://bucket/q/none.csv")
			err = p.Abort()
		} else if want != "" && (err == nil || err.Error() != want || !errors.Is(err, ErrUnusable)) {
			t.Errorf("%s: got %v", inputs, err)
			continue
		}
		if want == "" && err != nil {
			t.Errorf("%s: %v", inputs, err)
		}
	}
}
