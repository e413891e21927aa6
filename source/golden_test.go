package source

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The sums here are those of the reader that had encoding/csv find the cells: what is staged and
// listed must never depend on who finds them.

// awkwardRow writes one row of eight columns, which may be broken.
func awkwardRow(w io.Writer, random *rand.Rand, i int) {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	id := func() string {
		name := fmt.Sprintf("u%05d", random.IntN(4_000))
		return pick(name, name, name, name, name, `"`+name+`"`, `"`+name+`"`, "汉"+name, pick("", name+"\t", `"`+name+"\n\"", name+"\xff", strings.Repeat("x", 33)))
	}
	from, to := id(), id()
	remark := pick("", "r", `""`, `"a,b"`, `"say ""hi"""`, "\"two\nlines\"", "\"two\r\nlines\"", "\"\r\"", "a\rb", strings.Repeat("x", 97), `"x`+strings.Repeat("\ny", 21)+`"`, "\"\ufeff\"")
	if random.IntN(100) == 0 {
		remark = pick(`a"b`, `"a"b`, `"a`, `a"`, "\"x\n"+from+","+to+",,,,,,\ny", `"""`)
	}
	times := func() string {
		return pick("", "0", "1420000001", "1420000001", "007", `"12"`, "-0", pick("-5", "1420000001000", "x", "99999999999999999999", "1.5", "+3", "-"))
	}
	row := strings.Join([]string{from, to, remark, times(), pick("", "g", "a;b", `"a;;b"`, ";"), pick("AddSource_Type_A", "AddSource_Type_B", `"AddSource_Type_A"`), times(), pick("", "n", `"n,""n"`)}, ",")
	switch random.IntN(400) {
	case 0:
		row = strings.TrimSuffix(row, ",") + pick(",", ",,", ",\"\"", "")
	case 1:
		row = pick("", "\r", "\ufeff", " ")
	case 2:
		row = goldenHeader
	case 3:
		row = from + "," + to
	}
	fmt.Fprint(w, pick("", "", "", "", "", "", "", pick("", "\ufeff", "\ufeff\ufeff")), row, pick("\n", "\n", "\r\n", pick("\n", "\r\r\n", "\n\n")))
}

const goldenHeader = "From_Account,To_Account,Remark,RemarkTime,GroupName,AddSource,AddTime,Tag_SNS_Custom_Note"

var awkwardRows = flag.Int("awkward-rows", 50_000, "how many awkward rows are read, of the numbers whose sum is known")

// awkwardSums are the sums of so many rows. Each number of rows begins with those of a smaller one.
var awkwardSums = map[int]string{
	50_000:    "40ddfb4a6203fc39ed1cf885aad92659f61caecae46602dfee9a76c292d280b3",
	200_000:   "61f568d6abca14cb42ad61a86e706a030c9e4cc0c3cacabc15d8f424b1b0b85b",
	1_000_000: "a268afdcd981405497f53855ac3b12dbe2c04aae33922684eeda8a143ff13219",
}

// A million of them, which takes six seconds of a processor:
//
//	go test ./source -run AwkwardRows -args -awkward-rows 1000000
func TestAwkwardRowsAreReadAsEver(t *testing.T) {
	t.Parallel()
	rows := *awkwardRows
	want, known := awkwardSums[rows]
	if !known {
		t.Fatalf("the sum of %d rows is not known", rows)
	}
	random := rand.New(rand.NewPCG(15, 16))
	name := filepath.Join(t.TempDir(), "awkward.csv")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, goldenHeader)
	for i := range rows {
		awkwardRow(w, random, i)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	state := t.TempDir()
	p, err := ReadInputs(t.Context(), Request{Inputs: []string{name}, StateDir: state, FS: quickFS{}, Options: Options{InvalidField: "cut"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Abort()
	sum := sha256.New()
	fmt.Fprintln(sum, p.Totals.PlanDigest, p.Counts.Rows, p.Counts.Rejected, p.Counts.Changed, p.Counts.ManyLines.Records, p.Counts.ManyLines.Line, p.Counts.RejectedBy)
	for _, list := range []string{RejectedList, ChangedList, DuplicatesList} {
		content, err := os.ReadFile(filepath.Join(state, list))
		if err != nil {
			t.Fatal(err)
		}
		sum.Write([]byte(strings.ReplaceAll(string(content), name, "awkward.csv")))
	}
	t.Logf("%d edges, %d duplicates, rejected by %v", p.Totals.Edges, p.Totals.Duplicates, p.Counts.RejectedBy)
	equal(t, "sum", hex.EncodeToString(sum.Sum(nil)), want)
}

func TestMessyInputsAreReadAsEver(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 18))
	sum := sha256.New()
	for round := range 1500 {
		in := text{"a.csv", messyCSV(random)}
		if round%4 == 3 {
			in = text{"a.jsonl", messyJSONL(random)}
		}
		limit := []int{40, 100, recordLimit}[round%3]
		size := []int{3, 64, 1000, blockSize}[random.IntN(4)]
		r, err := readTexts(t, Options{InvalidField: "drop"}, func(r *reading) { r.size, r.limit, r.parsers = size, limit, 1 }, in)
		if err != nil {
			fmt.Fprintln(sum, round, err.Error()[strings.LastIndexByte(err.Error(), '/'):])
			continue
		}
		fmt.Fprintln(sum, round, r.Edges, r.Rejected, r.Changed, r.Counts.Rows, r.Counts.ManyLines.Records, r.Counts.ManyLines.Lines, r.Counts.ManyLines.Line)
	}
	for _, name := range []string{"friends.csv", "bad-rows.csv", "bad-rows.jsonl"} {
		content, err := os.ReadFile(filepath.Join("..", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := readTexts(t, Options{}, nil, text{name, string(content)})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(sum, name, r.Edges, r.Rejected, r.Changed)
	}
	equal(t, "sum", hex.EncodeToString(sum.Sum(nil)), "a588a1d23620dc4e7fb46f634f3c52fcfa099e414654cb77af34845f770aa1f4")
}
