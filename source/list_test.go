package source

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"friendmigrate/migrate"
)

// randomText is up to limit bytes of UTF-8, with what makes trouble in CSV and JSON.
func randomText(random *rand.Rand, limit int) string {
	const trouble = "\"\"',;\\/ \n\r\t\x00\x7f{}[]:<>&=+-@ab01é汉🙂\u2028\ufeff\u200b\ufffd"
	runes := []rune(trouble)
	var b strings.Builder
	for range random.IntN(12) {
		r := runes[random.IntN(len(runes))]
		if b.Len()+len(string(r)) > limit {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// randomEdge is a valid edge as it would be staged, except that a CSV could not hold a group with
// ';' in it.
func randomEdge(random *rand.Rand, line int64, forCSV bool) migrate.Edge {
	word := func(n int) string {
		return fmt.Sprintf("%s%d", []string{"u", "汉", "0", " ", "-", "\"", "\ufeff", "\ufeff\","}[random.IntN(8)], random.IntN(n))
	}
	e := migrate.Edge{From: word(1000), To: "x" + word(1000), AddSource: "AddSource_Type_" + []string{"Web", "A", "abcdefgh"}[random.IntN(3)]}
	e.Position.Line = line
	maybe := func() bool { return random.IntN(3) == 0 }
	if maybe() {
		e.Remark, e.AddWording = randomText(random, maxRemark), randomText(random, maxWording)
	}
	if maybe() {
		e.RemarkTime, e.AddTime = random.Int64N(1<<33), random.Int64N(1e11)
	}
	for maybe() && len(e.Groups) < migrate.MaxGroups {
		group := randomText(random, maxGroup)
		if forCSV {
			group = strings.ReplaceAll(group, ";", "")
		}
		if group != "" {
			e.Groups = append(e.Groups, group)
		}
	}
	if maybe() {
		e.Custom = append(e.Custom, migrate.CustomItem{Tag: "Tag_SNS_Custom_Int", Value: fmt.Sprint(1 + random.Uint64N(1<<63)), Integer: true})
	}
	if value := randomText(random, maxCustom); maybe() && value != "" {
		e.Custom = append(e.Custom, migrate.CustomItem{Tag: "Tag_SNS_Custom_Str", Value: value})
	}
	if maybe() {
		e.Custom = append(e.Custom, migrate.CustomItem{Tag: "Tag_SNS_Custom_Z", Value: fmt.Sprint(random.IntN(100))})
	}
	return e
}

func TestListsAreInputsAgain(t *testing.T) {
	for _, format := range []string{CSV, JSONL} {
		t.Run(format, func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, uint64(len(format))))
			var edges []migrate.Edge
			l := NewList(ListOptions{Path: filepath.Join(t.TempDir(), "failed."+format), Memory: 64 << 10, Format: format,
				Extra: []string{"ResultCode", "ResultInfo", "Attempts", "Input", "Line"}})
			defer l.Close()
			for i := range int64(3000) {
				edges = append(edges, randomEdge(random, i+1, format == CSV))
			}
			for _, i := range random.Perm(len(edges)) {
				if err := l.Add(&edges[i], 30010, randomText(random, 100), int64(3), "in,put.csv", edges[i].Line); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			equal(t, "integer tags", strings.Join(l.IntegerTags(), " "), "Tag_SNS_Custom_Int")
			content, err := os.ReadFile(l.options.Path)
			if err != nil {
				t.Fatal(err)
			}
			r := mustRead(t, Options{IntegerTags: l.IntegerTags()}, "failed."+format, string(content))
			equal(t, "rejected", r.reasons(), "")
			equal(t, "warnings", len(r.Counts.ColumnsIgnored), 0)
			equal(t, "edges", len(r.Edges), len(edges))
			for i, got := range r.Edges {
				got.Position = edges[i].Position
				if !reflect.DeepEqual(got, edges[i]) {
					t.Fatalf("edge %d:\ngot  %#v\nwant %#v", i, got, edges[i])
				}
			}
		})
	}
}

func TestListKeepsNothingOfAnEdge(t *testing.T) {
	l := NewList(ListOptions{Path: filepath.Join(t.TempDir(), "failed.csv"), Format: CSV})
	defer l.Close()
	tag := []byte("Tag_SNS_Custom_A")
	for _, integer := range []bool{false, true, false} {
		e := migrate.Edge{From: "a", To: "b", Custom: []migrate.CustomItem{{Tag: view(tag), Value: "1", Integer: integer}}}
		if err := l.Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	clear(tag)
	equal(t, "integer tags", fmt.Sprintf("%q", l.IntegerTags()), `["Tag_SNS_Custom_A"]`)
}

func TestListIsThereWithoutRows(t *testing.T) {
	l := NewList(ListOptions{Path: filepath.Join(t.TempDir(), "failed.csv"), Format: CSV, Extra: []string{"ResultCode"}})
	defer l.Close()
	if err := l.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(l.options.Path)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "header", string(content), "From_Account,To_Account,Remark,RemarkTime,GroupName,AddSource,AddWording,AddTime,ResultCode\n")
	info, err := os.Stat(l.options.Path)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "mode", info.Mode().Perm(), 0o600)
}

func TestCSVRefusesWhatItCannotHold(t *testing.T) {
	write := func(format string, lossy bool, edges ...migrate.Edge) error {
		rows := func(yield func(ListRow, error) bool) {
			for _, e := range edges {
				if !yield(ListRow{Edge: &e}, nil) {
					return
				}
			}
		}
		return WriteEdges(new(bytes.Buffer), ListFormat{Format: format, Tags: []string{"Tag_SNS_Custom_A"}, Lossy: lossy}, rows)
	}
	group := migrate.Edge{From: "a", To: "b", Groups: []string{"x;y"}}
	text := migrate.Edge{From: "a", To: "b", Custom: []migrate.CustomItem{{Tag: "Tag_SNS_Custom_A", Value: "1"}}}
	integer := migrate.Edge{From: "a", To: "c", Custom: []migrate.CustomItem{{Tag: "Tag_SNS_Custom_A", Value: "1", Integer: true}}}
	for name, edges := range map[string][]migrate.Edge{"group": {group}, "text and integer": {text, integer}} {
		if err := write(CSV, false, edges...); !errors.Is(err, ErrNotCSV) {
			t.Errorf("%s: got %v", name, err)
		}
		if err := errors.Join(write(CSV, true, edges...), write(JSONL, false, edges...)); err != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := WriteEdges(new(bytes.Buffer), ListFormat{Format: CSV, Extra: []string{"Surprise"}}, func(func(ListRow, error) bool) {}); err == nil {
		t.Error("an extra column that reading would warn about is written")
	}
}
