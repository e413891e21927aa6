package source

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocarina/gocsv"
)

// Files that were put together with cat have marks in the middle: an id with one in front is
// nobody's.
func TestByteOrderMarkOfALaterLine(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	header := "From_Account,To_Account,AddSource,Remark\n"
	object := line("")
	for name, c := range map[string]struct {
		in    text
		pairs string
	}{
		"CSV":             {text{"a.csv", header + bom + "a,b," + src + ",\n" + bom + bom + "c,d," + src + ",\n"}, "a>b@2 c>d@3"},
		"quotes":          {text{"a.csv", header + bom + "\"a\",b," + src + ",\nc,\"d\"," + src + ",\n"}, "a>b@2 c>d@3"},
		"a line of marks": {text{"a.csv", header + bom + "\n\"a\",b," + src + ",\n" + bom}, "a>b@3"},
		"within a field":  {text{"a.csv", header + "a,b," + src + ",\"x\n" + bom + "y\"\n"}, "a>b@2"},
		"JSONL":           {text{"a.jsonl", bom + object + "\n" + bom + object + "\n" + bom + "\n" + bom + bom + object}, "a>b@1 a>b@2 a>b@4"},
	} {
		r, err := readTexts(t, Options{}, nil, c.in)
		if err != nil {
			t.Fatal(name, err)
		}
		equal(t, name, r.pairs(), c.pairs)
		equal(t, name, r.reasons(), "")
		if name == "within a field" {
			equal(t, "remark", r.Edges[0].Remark, "x\n"+bom+"y")
		}
	}
	long := "a,b," + src + "," + strings.Repeat("x", recordLimit)
	r := mustRead(t, Options{}, "a.csv", header+bom+long[:recordLimit]+"\n"+bom+long+"\n")
	equal(t, "a mark is no part of the record", r.reasons(), "2 Remark is over its limit in bytes; 3 record is over 1 MiB (the row shows its beginning)")
}

func TestRowThatRepeatsTheHeaderIsNoEdge(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	mapped := Options{Map: map[string]string{nameFrom: "uid", nameTo: "friend"}, DefaultAddSource: src}
	plain := Options{DefaultAddSource: src}
	for name, c := range map[string]struct {
		o                       Options
		content, pairs, reasons string
	}{
		"at once":          {plain, "From_Account,To_Account\nFrom_Account,To_Account\na,b\n", "a>b@3", "2 repeats the header"},
		"at the end":       {plain, "From_Account,To_Account\na,b\nFrom_Account,To_Account", "a>b@2", "3 repeats the header"},
		"with a mark":      {plain, "From_Account,To_Account\r\na,b\r\n" + bom + "From_Account,To_Account\r\nb,a\r\n", "a>b@2 b>a@4", "3 repeats the header"},
		"in quotes":        {plain, "From_Account,To_Account\na,b\n" + bom + "\"From_Account\",\"To_Account\"\nb,a\n", "a>b@2 b>a@4", "3 repeats the header"},
		"mapped":           {mapped, "uid,friend\na,b\nuid,friend\nb,a\n", "a>b@2 b>a@4", "3 repeats the header"},
		"with AddSource":   {Options{}, "From_Account,To_Account,AddSource\na,b," + src + "\nFrom_Account,To_Account,AddSource\n", "a>b@2", "3 repeats the header"},
		"in another case":  {plain, "From_Account,To_Account\na,b\nfrom_account,TO_ACCOUNT\nb,a\n", "a>b@2 b>a@4", "3 repeats the header"},
		"ignored columns":  {plain, "From_Account,To_Account,x\na,b,\nFrom_Account,To_Account,y\n", "a>b@2", "3 repeats the header"},
		"an id like it":    {mapped, "uid,friend,Remark\nuid,friend,r\nuid,b,Remark\n", "uid>friend@2 uid>b@3", ""},
		"an id of its own": {plain, "From_Account,To_Account\nFrom_Account,b\n", "From_Account>b@2", ""},
		"more columns":     {plain, "From_Account,To_Account\na,b\nFrom_Account,To_Account,Remark\n", "a>b@2", "3 " + reasonOtherHeader},
		"fewer columns":    {plain, "From_Account,To_Account,x\na,b,\n" + bom + "\"From_Account\",\"To_Account\"\n", "a>b@2", "3 " + reasonOtherHeader},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustRead(t, c.o, "a.csv", c.content)
			equal(t, "edges", r.pairs(), c.pairs)
			equal(t, "rejected", r.reasons(), c.reasons)
		})
	}
	for name, content := range map[string]string{
		"another order": "From_Account,To_Account\na,b\nTo_Account,From_Account\na,b\n",
		"other columns": "From_Account,To_Account,Remark\na,b,\nFrom_Account,To_Account,AddWording\na,b,\n",
		"moved":         "From_Account,To_Account,Remark\na,b,\nRemark,From_Account,To_Account\n,a,b\n",
	} {
		_, err := readTexts(t, plain, nil, text{"a.csv", content})
		if unusable := (*InputError)(nil); !errors.As(err, &unusable) || unusable.Line != 3 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Two stray quotes make one record of all the rows between them, and --invalid-field must not fix
// that away.
func TestRowsSwallowedByAFieldAreNotCutAway(t *testing.T) {
	swallowed := "\"r" + strings.Repeat("\na,b,"+src+",r", 30) + "\""
	for _, column := range []string{"Remark", "AddWording", "GroupName", "Tag_SNS_Custom_A"} {
		for _, policy := range []string{"reject", "drop", "cut"} {
			r := mustRead(t, Options{InvalidField: policy}, "a.csv",
				"From_Account,To_Account,AddSource,"+column+"\n"+"c,d,"+src+","+swallowed+"\n"+"e,f,"+src+",\n")
			equal(t, "rejected, "+policy, r.reasons(), "2 "+column+" "+reasonBreaks)
			equal(t, "edges", r.pairs(), "e>f@33")
		}
	}
	many := strings.TrimSuffix(strings.Repeat("g\n;", 33), ";")
	r := mustRead(t, Options{InvalidField: "cut"}, "a.csv", "From_Account,To_Account,AddSource,GroupName\nc,d,"+src+",\""+many+"\"\n")
	equal(t, "many groups", r.reasons(), "2 GroupName "+reasonBreaks)
	r = mustRead(t, Options{InvalidField: "drop"}, "a.jsonl", line(`,"Remark":"x\n`+strings.Repeat("x", 96)+`"`))
	equal(t, "JSONL", r.reasons(), "1 Remark "+reasonBreaks)
}

func TestRecordsOfManyLinesAreCounted(t *testing.T) {
	const header = "From_Account,To_Account,AddSource,Remark,note\n"
	lines := func(n int, text string) string {
		return "a,b," + src + ",,\"" + strings.Repeat(text+"\n", n-1) + "\"\n"
	}
	for name, c := range map[string]struct {
		rows    string
		records int64
		lines   int64
		line    int64
	}{
		"none":                   {"a,b," + src + ",,\n", 0, 0, 0},
		"20 lines":               {lines(20, "x"), 0, 0, 0},
		"21 lines":               {"c,d," + src + ",,\n" + lines(21, "x"), 1, 21, 3},
		"21 lines of CRLF":       {lines(21, "x\r"), 1, 21, 2},
		"too few separators":     {lines(2, "x,x,x,x"), 0, 0, 0},
		"a row in a field":       {lines(2, "a,b,"+src+",,"), 1, 2, 2},
		"one line of separators": {"a,b," + src + ",\",,,,,\",\n", 0, 0, 0},
		"the longest, the first": {lines(22, "x") + lines(30, "x") + lines(30, "x"), 3, 30, 24},
		"a rejected record":      {"\"" + strings.Repeat("\n", 25) + "\",b," + src + ",,\n", 1, 26, 2},
	} {
		t.Run(name, func(t *testing.T) {
			m := mustRead(t, Options{}, "a.csv", header+c.rows).Counts.ManyLines
			equal(t, "records", m.Records, c.records)
			equal(t, "lines", m.Lines, c.lines)
			equal(t, "line", m.Line, c.line)
		})
	}
	r, err := readTexts(t, Options{}, nil, text{"a.csv", header + lines(21, "x")}, text{"b.jsonl", line("") + "\n"}, text{"c.csv", header + lines(22, "x")})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "records", r.Counts.ManyLines.Records, 2)
	equal(t, "input", filepath.Base(r.Counts.ManyLines.Input), "c.csv")
}

func TestLineEndsLoseNoRow(t *testing.T) {
	const header = "From_Account,To_Account,AddSource,Remark\n"
	rows := "a,b," + src + ",\nc,d," + src + ",\"two\nlines\"\ne,f," + src + ",x\n"
	for name, in := range map[string]struct{ content, pairs string }{
		"LF":                    {header + rows, "a>b@2 c>d@3 e>f@5"},
		"no last line end":      {header + strings.TrimSuffix(rows, "\n"), "a>b@2 c>d@3 e>f@5"},
		"CRLF":                  {strings.ReplaceAll(header+rows, "\n", "\r\n"), "a>b@2 c>d@3 e>f@5"},
		"CRLF, no last":         {strings.TrimSuffix(strings.ReplaceAll(header+rows, "\n", "\r\n"), "\r\n"), "a>b@2 c>d@3 e>f@5"},
		"CRLF, half of the end": {strings.TrimSuffix(strings.ReplaceAll(header+rows, "\n", "\r\n"), "\n"), "a>b@2 c>d@3 e>f@5"},
		"blank lines at end":    {header + rows + "\n\r\n\n", "a>b@2 c>d@3 e>f@5"},
		"blank lines between":   {"\n\r\n" + header + "\n" + strings.ReplaceAll(rows, "e,f", "\n\ne,f"), "a>b@5 c>d@6 e>f@10"},
		"header alone":          {header, ""},
		"header without end":    {strings.TrimSuffix(header, "\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustRead(t, Options{AllowEmpty: true}, "a.csv", in.content)
			equal(t, "edges", r.pairs(), in.pairs)
			equal(t, "rejected", r.reasons(), "")
		})
	}
}

func TestCarriageReturnInsideQuotesIsKept(t *testing.T) {
	r := mustRead(t, Options{}, "a.csv", "From_Account,To_Account,AddSource,Remark\r\na,b,"+src+",\"x\r\ny\rz\r\r\n\"\r\nc,d,"+src+",\"\r\n\"\r\n")
	equal(t, "remark", r.Edges[0].Remark, "x\r\ny\rz\r\r\n")
	equal(t, "remark", r.Edges[1].Remark, "\r\n")
	equal(t, "edges", r.pairs(), "a>b@2 c>d@5")
}

func TestBrokenRecordCostsItsFirstLineOnly(t *testing.T) {
	const header = "From_Account,To_Account,AddSource\n"
	good := "g,h," + src + "\n"
	for name, in := range map[string]struct{ content, pairs, reasons string }{
		"bare quote":               {"a\"b,c," + src + "\n" + good, "g>h@3", "2 quotes are broken"},
		"text after a quote":       {"\"a\"b,c," + src + "\n" + good, "g>h@3", "2 quotes are broken"},
		"never closed":             {"a,\"b," + src + "\n" + good + good, "g>h@3 g>h@4", "2 quotes are broken"},
		"closed by a later row":    {"a,\"b," + src + "\n" + good + "i,\"j\"," + src + "\n" + good, "g>h@3 i>j@4 g>h@5", "2 quotes are broken"},
		"open at the end":          {good + "a,b,\"", "g>h@2", "3 quotes are broken"},
		"swallows a column count":  {"a,\"b\n" + good + "c\"\n" + good, "g>h@3 g>h@5", "2 number of columns is not the header's; 4 quotes are broken"},
		"too few columns":          {"a,b\n" + good, "g>h@3", "2 number of columns is not the header's"},
		"too many columns":         {"a,b," + src + ",x\n" + good, "g>h@3", "2 number of columns is not the header's"},
		"too few with quotes":      {"\"a\",b\n" + good, "g>h@3", "2 number of columns is not the header's"},
		"white space is no blank":  {"  \n" + good, "g>h@3", "2 number of columns is not the header's"},
		"quote after carriage":     {"a,\"b\"\r," + src + "\n" + good, "g>h@3", "2 quotes are broken"},
		"newline in an account id": {"\"a\nb\",c," + src + "\n" + good, "g>h@4", "2 From_Account has a control character"},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustRead(t, Options{}, "a.csv", header+in.content)
			equal(t, "edges", r.pairs(), in.pairs)
			equal(t, "rejected", r.reasons(), in.reasons)
		})
	}
}

func TestRejectedListHasTheRawText(t *testing.T) {
	broken := "\xff\"a,\"\"b,c"
	r := mustRead(t, Options{}, "a.csv", "From_Account,To_Account,AddSource\r\n"+broken+"\r\n\"x\",\"x\","+src+"\r\n")
	equal(t, "rows", len(r.Rejected), 2)
	equal(t, "row", r.Rejected[0][4], broken)
	equal(t, "row", r.Rejected[1][4], "\"x\",\"x\","+src)
	equal(t, "input", r.Rejected[0][0], "a.csv")
}

func TestRecordOverOneMebibyteIsRejected(t *testing.T) {
	good := "g,h," + src + ",\n"
	long := strings.Repeat("x", recordLimit)
	header := "From_Account,To_Account,AddSource,Remark\n"
	fits := "a,b," + src + ","
	fits += long[:recordLimit-len(fits)]
	for name, in := range map[string]struct{ content, pairs, reasons string }{
		"line":                  {"a,b," + long + "\n" + good, "g>h@3", "2 record is over 1 MiB (the row shows its beginning)"},
		"line without an end":   {good + long + long + long, "g>h@2", "3 record is over 1 MiB (the row shows its beginning)"},
		"line with quotes":      {"\"a\",\"b\"," + long + "\n" + good, "g>h@3", "2 record is over 1 MiB (the row shows its beginning)"},
		"several lines":         {"a,\"b\nc\"," + long + "\n" + good, "g>h@4", "2 record is over 1 MiB (the row shows its beginning); 3 record is over 1 MiB (the row shows its beginning)"},
		"just within the limit": {fits + "\r\n" + good, "g>h@3", "2 Remark is over its limit in bytes"},
		"one byte over":         {fits + "x\r\n" + good, "g>h@3", "2 record is over 1 MiB (the row shows its beginning)"},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustRead(t, Options{}, "a.csv", header+in.content)
			equal(t, "edges", r.pairs(), in.pairs)
			equal(t, "rejected", r.reasons(), in.reasons)
		})
	}
	line := `{"From_Account":"` + long + `"}`
	r := mustRead(t, Options{}, "a.jsonl", line+"\n{}\n"+line)
	equal(t, "JSONL", r.reasons(), "1 record is over 1 MiB (the row shows its beginning); 2 From_Account is empty; 3 record is over 1 MiB (the row shows its beginning)")
	equal(t, "row", r.Rejected[0][4], line[:recordLimit])
}

func TestQuoteOpenForOneMebibyteStopsTheJob(t *testing.T) {
	rows := strings.Repeat("g,h,"+src+"\n", 60000)
	_, err := readTexts(t, Options{}, nil, text{"a.csv", "From_Account,To_Account,AddSource\ng,h," + src + "\na,\"b," + src + "\n" + rows})
	var unusable *InputError
	if !errors.As(err, &unusable) || unusable.Line != 3 || !errors.Is(err, ErrUnusable) {
		t.Fatalf("got %v", err)
	}
}

func TestInputsRejectedAsAWholeSayWhy(t *testing.T) {
	const header = "From_Account,To_Account,AddSource\n"
	good, empty, self := text{"g.csv", header + "a,b," + src + "\na,,\n"}, header+",b,\n,c,\n", text{"s.jsonl", strings.Replace(line(""), `"b"`, `"a"`, 1) + "\n"}
	for name, c := range map[string]struct {
		inputs        []text
		want, formats string
	}{
		"alone":           {[]text{{"e.csv", empty}}, "all rows: From_Account is empty", "csv"},
		"beside a good":   {[]text{good, {"e.csv", empty}}, `all rows of "e.csv": From_Account is empty`, "csv"},
		"two reasons":     {[]text{{"m.csv", empty + "a,a," + src + "\n"}, self}, `all rows of "s.jsonl": To_Account is the account itself`, "csv jsonl"},
		"several inputs":  {[]text{{"1.csv", empty}, {"2.csv", empty}, {"3.csv", empty}, self, {"4.csv", empty}}, `all rows of "1.csv", "2.csv", "3.csv" and 1 more: From_Account is empty; all rows of "s.jsonl": To_Account is the account itself`, "csv jsonl"},
		"an empty input":  {[]text{{"0.csv", header}, self}, `all rows of "s.jsonl": To_Account is the account itself`, "jsonl"},
		"not as a whole":  {[]text{good}, "", "csv"},
		"headers, no row": {[]text{{"h.csv", header + header + header}}, "all rows: repeats the header", "csv"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := readTexts(t, Options{}, nil, c.inputs...)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range r.Counts.AllRejected {
				for i := range a.First {
					a.First[i] = filepath.Base(a.First[i])
				}
			}
			equal(t, "why", r.Counts.WhyAllRejected(), c.want)
			equal(t, "formats", strings.Join(r.Counts.RejectedIn, " "), c.formats)
		})
	}
}

// gocsv has package-level switches that any package of the program may set. Rows do not depend on
// them.
func TestGocsvSwitchesChangeNoRow(t *testing.T) {
	gocsv.SetHeaderNormalizer(strings.ToLower)
	defer gocsv.SetHeaderNormalizer(gocsv.DefaultNameNormalizer())
	r := mustRead(t, Options{}, "a.csv", "To_Account,From_Account,AddSource,Tag_SNS_Custom_A,Tag_SNS_Custom_B\nb,a,"+src+",x,y\n")
	equal(t, "edges", r.pairs(), "a>b@2")
	equal(t, "custom", r.Edges[0].Custom[0].Value+r.Edges[0].Custom[1].Value, "xy")
}
