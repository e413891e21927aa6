package source

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"friendmigrate/source/stage"
)

func TestByteOrderMarkHidesNoColumn(t *testing.T) {
	const bom = "\xef\xbb\xbf"
	for name, in := range map[string]text{
		"CSV":                      {"a.csv", bom + "From_Account,To_Account,AddSource\na,b," + src + "\n"},
		"CSV with quotes":          {"a.csv", bom + "\"From_Account\",\"To_Account\",AddSource\na,b," + src + "\n"},
		"CSV, two marks":           {"a.csv", bom + bom + "From_Account,To_Account,AddSource\na,b," + src + "\n"},
		"CSV, a mark after a line": {"a.csv", "\n" + bom + "From_Account,To_Account,AddSource\na,b," + src + "\n"},
		"JSONL":                    {"a.jsonl", bom + "\n" + `{"From_Account":"a","To_Account":"b","AddSource":"` + src + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustRead(t, Options{}, in.name, in.content).pairs()
			equal(t, "edges", got[:len(got)-1], "a>b@")
		})
	}
	for _, bom := range []string{"\xff\xfe", "\xfe\xff"} {
		_, err := readTexts(t, Options{}, nil, text{"a.csv", bom + "F\x00"})
		if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "UTF-16") {
			t.Errorf("UTF-16: got %v", err)
		}
	}
}

func TestHeaderThatSwallowedRowsIsRefused(t *testing.T) {
	for _, c := range []struct {
		header string
		fine   bool
	}{
		{"From_Account,To_Account,AddSource,\"note\na,b," + src + ",\"\n", false},
		{"From_Account,To_Account,AddSource,\"note" + strings.Repeat("\na", 20) + "\"\n", false},
		{"From_Account,To_Account,AddSource,\"a\nnote\"\r\n", true},
	} {
		_, err := readTexts(t, Options{}, nil, text{"a.csv", c.header + "c,d," + src + ",\n"})
		if c.fine && err != nil || !c.fine && (!errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "has rows in it")) {
			t.Errorf("%q: got %v", c.header, err)
		}
	}
}

func TestHeaderThatIsNoRecordSaysWhy(t *testing.T) {
	for content, says := range map[string]string{
		"From_Account,\"To_Account,AddSource\na,b," + src + "\n":                         "line 1: the header is not a CSV record: its quotes are broken",
		"From_Account,\"To_Account\"x,AddSource\na,b," + src + "\n":                      "its quotes are broken",
		"\nFrom_Account,\"To_Account" + strings.Repeat(",\n", recordLimit/2):             "line 2: the header is not a CSV record: a quote in it is open for 1 MiB",
		"From_Account,To_Account," + strings.Repeat("x", recordLimit) + "\na,b,c\n":      "it is over 1 MiB",
		"From_Account,\"To_Account\"," + strings.Repeat("x,", recordLimit) + "\na,b,c\n": "it is over 1 MiB",
	} {
		_, err := readTexts(t, Options{}, nil, text{"a.csv", content})
		if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60q: got %.200v, want %s", content, err, says)
		}
	}
}

func TestHeaderIsMatchedExactly(t *testing.T) {
	for name, header := range map[string]string{
		"case":          "from_account,To_Account,AddSource",
		"space":         " From_Account,To_Account,AddSource",
		"zero width":    "From_Account\u200b,To_Account,AddSource",
		"semicolons":    "From_Account;To_Account;AddSource",
		"no To_Account": "From_Account,AddSource",
		"empty":         "",
		"broken":        "From_Account,\"To_Account,AddSource",
		"twice":         "From_Account,To_Account,To_Account",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readTexts(t, Options{}, nil, text{"a.csv", header + "\na,b," + src + "\n"})
			if unusable := (*InputError)(nil); !errors.As(err, &unusable) || !errors.Is(err, ErrUnusable) {
				t.Fatalf("got %v", err)
			}
		})
	}
	if _, err := readTexts(t, Options{}, nil, text{"a.csv", ""}); !errors.Is(err, ErrUnusable) {
		t.Errorf("an empty file: got %v", err)
	}
}

func TestMissingColumnNamesWhatWasMeant(t *testing.T) {
	uid := map[string]string{nameFrom: "uid"}
	for name, c := range map[string]struct {
		o            Options
		header, want string
		better       Flag
	}{
		"a letter":       {Options{}, "From_Acount,To_Account,AddSource", `"From_Account" ("From_Acount": did you mean From_Account?)`, Flag{"map", "From_Account=From_Acount"}},
		"case":           {Options{}, "From_Account,to_account,AddSource", `"To_Account" ("to_account": did you mean To_Account?)`, Flag{"map", "To_Account=to_account"}},
		"spaces":         {Options{}, "From_Account, To_Account ,AddSource", `"To_Account" (" To_Account ": did you mean To_Account?)`, Flag{"map", "To_Account= To_Account "}},
		"a comma":        {Options{}, "\"From,Account\",To_Account,AddSource", `"From_Account" ("From,Account": did you mean From_Account?)`, Flag{}},
		"no underscore":  {Options{}, "fromAccount,To Account,AddSource", `"From_Account" ("fromAccount": did you mean From_Account?) and no "To_Account" ("To Account"`, Flag{"map", "From_Account=fromAccount,To_Account=To Account"}},
		"AddSource":      {Options{}, "From_Account,To_Account,Add_source", `"AddSource" ("Add_source": did you mean AddSource?)`, Flag{"map", "AddSource=Add_source"}},
		"no AddSource":   {Options{}, "From_Account,To_Account", `"AddSource" and no --default-add-source (names are`, Flag{"default-add-source", "AddSource_Type_WORD"}},
		"nothing like":   {Options{}, "a,b,AddSource", `"From_Account" and no "To_Account" (names are matched exactly; there is "a", "b", "AddSource")`, Flag{"map", "From_Account=HEADER,To_Account=HEADER"}},
		"mapped":         {Options{Map: uid}, "u_id,To_Account,AddSource", `"uid", which --map names for From_Account ("u_id": did you mean uid?)`, Flag{"map", "From_Account=u_id"}},
		"mapped, beside": {Options{Map: uid}, "uid,To_Acount,AddSource", `"To_Account" ("To_Acount": did you mean To_Account?)`, Flag{"map", "From_Account=uid,To_Account=To_Acount"}},
		"a tag":          {Options{Map: uid}, "uid,To_Account,AddSource,Tag_SNS_Custom_my-tag", `column "Tag_SNS_Custom_my-tag" is not`, Flag{"map", "From_Account=uid,Tag_SNS_Custom_WORD=Tag_SNS_Custom_my-tag"}},
		"a row":          {Options{}, "a,b," + src, "line 1: the header is missing: the first line is a row", Flag{}},
		"no word":        {Options{}, "From_Account,To_Account,AddSource,Tag_SNS_Custom_1", `column "Tag_SNS_Custom_1" is not`, Flag{"map", "Tag_SNS_Custom_WORD=Tag_SNS_Custom_1"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readTexts(t, c.o, nil, text{"a.csv", c.header + "\na,b,c,d\n"})
			if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			equal(t, "better", Better(err), c.better)
		})
	}
}

func TestUnknownColumnsNameWhatWasMeant(t *testing.T) {
	for name, want := range map[string]string{
		"Remarks": "Remark", "remark": "Remark", " Remark": "Remark", "Group_Name": "GroupName", "addtime": "AddTime", "Tag_SNS_custom_Age": "Tag_SNS_Custom_Age",
		"TagSNSCustom_Age": "Tag_SNS_Custom_Age", "from_account": "From_Account", "nick": "", "": "", "汉": "", "Tag_SNS_Custom_": "", "birthday": "",
	} {
		equal(t, name, nearField(name), want)
	}
	got := Warnings(&Counts{ColumnsIgnored: []string{"Remarks", "nick", "From_Account"}}, &stage.Totals{}, Options{})
	equal(t, "warning", got[0], `unknown columns are ignored: "Remarks" (did you mean Remark?), "nick", "From_Account"`)
}

func TestIntegerTagsOfNoColumn(t *testing.T) {
	csvOf := func(name, tags string) text {
		return text{name, "From_Account,To_Account,AddSource" + tags + "\n" + "a,b," + src + strings.Repeat(",1", strings.Count(tags, ",")) + "\n"}
	}
	jsonl := text{"j.jsonl", line("") + "\n"}
	for name, c := range map[string]struct {
		tags   []string
		inputs []text
		want   string // "": it is fine
		better string
	}{
		"there":                   {[]string{"A"}, []text{csvOf("a.csv", ",Tag_SNS_Custom_A")}, "", ""},
		"in one of two":           {[]string{"A", "B"}, []text{csvOf("a.csv", ",Tag_SNS_Custom_A"), csvOf("b.csv", ",Tag_SNS_Custom_B"), jsonl}, "", ""},
		"JSONL alone":             {[]string{"A"}, []text{jsonl}, "", ""},
		"in another case":         {[]string{"age"}, []text{csvOf("a.csv", ",Tag_SNS_Custom_Age")}, `"Tag_SNS_Custom_age" (did you mean Tag_SNS_Custom_Age?)`, "Tag_SNS_Custom_Age"},
		"another case, both":      {[]string{"AGE"}, []text{csvOf("a.csv", ",Tag_SNS_Custom_Age,Tag_SNS_Custom_AGE")}, "", ""},
		"nothing like it":         {[]string{"Level", "A"}, []text{csvOf("a.csv", ",Tag_SNS_Custom_A"), jsonl}, `"Tag_SNS_Custom_Level"; the custom columns are Tag_SNS_Custom_A`, "Tag_SNS_Custom_A"},
		"no custom column at all": {[]string{"A"}, []text{jsonl, csvOf("a.csv", "")}, `"Tag_SNS_Custom_A"; there is no custom column`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := readTexts(t, Options{IntegerTags: c.tags}, nil, c.inputs...)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				w := Warnings(&r.Counts, &stage.Totals{}, Options{IntegerTags: c.tags})
				equal(t, "warnings", len(w) == 1 && strings.HasPrefix(w[0], "--integer-tags says nothing here"), name == "JSONL alone")
				return
			}
			if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "no input has a column "+c.want) {
				t.Fatalf("got %v", err)
			}
			equal(t, "better", Better(err), Flag{"integer-tags", c.better})
		})
	}
}

func TestMapOfKeysThatNoRowHas(t *testing.T) {
	mapped := func(pairs ...string) Options {
		o := Options{Map: map[string]string{}, DefaultAddSource: src}
		for _, pair := range pairs {
			name, header, _ := strings.Cut(pair, "=")
			o.Map[name] = header
		}
		return o
	}
	rows := text{"a.jsonl", `{"uid":"a","friend":"b"}` + "\n" + `{"uid":"a","friend":"c","n":null}` + "\n"}
	for name, c := range map[string]struct {
		o      Options
		inputs []text
		err    string
		better string
	}{
		"there":            {mapped("From_Account=uid", "To_Account=friend", "Remark=n"), []text{rows}, "", ""},
		"an optional one":  {mapped("From_Account=uid", "To_Account=friend", "Remark=note"), []text{rows}, `"note" for Remark`, "From_Account=uid,Remark=KEY,To_Account=friend"},
		"an account":       {mapped("From_Account=Uid", "To_Account=friend"), []text{rows}, `"Uid" for From_Account`, "From_Account=uid,To_Account=friend"},
		"nothing like it":  {mapped("From_Account=uid", "To_Account=to"), []text{rows}, `"to" for To_Account (names are matched exactly; there is "friend", "n")`, "From_Account=uid,To_Account=KEY"},
		"beside a CSV":     {mapped("From_Account=u", "To_Account=f"), []text{rows, {"b.csv", "u,f\na,b\n"}}, "", ""},
		"two files of one": {mapped("From_Account=uid", "To_Account=friend", "Remark=n"), []text{{"b.jsonl", `{"uid":"a","friend":"b"}`}, rows}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readTexts(t, c.o, nil, c.inputs...)
			if c.err == "" && err != nil || c.err != "" && (!errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "no row has a key "+c.err)) {
				t.Fatalf("got %v", err)
			}
			equal(t, "better", Better(err).Value, c.better)
		})
	}
}

func TestFormatThatNoInputTakes(t *testing.T) {
	for name, c := range map[string]struct {
		format string
		names  []string
		want   bool
	}{
		"the same": {"csv", []string{"a.csv.gz"}, false}, "another": {"ndjson", []string{"a.csv", "b.csv"}, true}, "none said": {"csv", []string{"-"}, false},
		"one takes it": {"csv", []string{"a.jsonl", "b.csv"}, false}, "for one": {"csv", []string{"a.jsonl", "b.txt"}, false}, "not given": {"", []string{"a.csv"}, false},
	} {
		counts := Counts{}
		for _, in := range c.names {
			counts.Inputs = append(counts.Inputs, Input{Name: in})
		}
		equal(t, name, slices.ContainsFunc(Warnings(&counts, &stage.Totals{}, Options{Format: c.format}), func(w string) bool {
			return strings.HasPrefix(w, "--format "+c.format+" says nothing here")
		}), c.want)
	}
}

func TestUnknownColumnsAreNamedAndOurOwnAreNot(t *testing.T) {
	r, err := readTexts(t, Options{}, nil,
		text{"a.csv", "From_Account,zeta,To_Account,AddSource,ResultCode,ResultInfo,Attempts,Input,Line,,alpha\na,1,b," + src + ",30010,x,1,in,7,,\n"},
		text{"b.jsonl", `{"From_Account":"c","To_Account":"d","AddSource":"` + src + `","beta":{"x":[1,{"y":null}]},"ResultCode":3,"from_account":"z"}`})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "edges", r.pairs(), "a>b@2 c>d@1")
	equal(t, "ignored", strings.Join(r.Counts.ColumnsIgnored, "|"), "|alpha|beta|from_account|zeta")
}

func TestMappedHeaders(t *testing.T) {
	o := Options{Map: map[string]string{"From_Account": "uid", "To_Account": "Remark", "Tag_SNS_Custom_Note": "note"}, DefaultAddSource: src}
	r := mustRead(t, o, "a.csv", "uid,Remark,note,To_Account\na,b,n,zzz\n")
	equal(t, "edges", r.pairs(), "a>b@2")
	equal(t, "remark", r.Edges[0].Remark, "")
	equal(t, "custom", r.Edges[0].Custom[0].Tag+r.Edges[0].Custom[0].Value, "Tag_SNS_Custom_Noten")
	equal(t, "ignored", strings.Join(r.Counts.ColumnsIgnored, "|"), "To_Account")
	r = mustRead(t, o, "a.jsonl", `{"uid":"a","Remark":"b","note":"n","To_Account":"zzz"}`)
	equal(t, "edges", r.pairs(), "a>b@1")
	if _, err := readTexts(t, o, nil, text{"a.csv", "uid,Remark\na,b\n"}); !errors.Is(err, ErrUnusable) {
		t.Errorf("a mapped column that isn't there: got %v", err)
	}
}
