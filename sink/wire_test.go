package sink

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"friendmigrate/migrate"
)

func plain(to string) migrate.Edge {
	return migrate.Edge{From: "A", To: to, AddSource: "AddSource_Type_Import"}
}

// TestGoldenBodies holds requests to bodies that were written by hand from the vendor's pages:
// GroupName dropped, integers as strings, digits-only ids as numbers.
func TestGoldenBodies(t *testing.T) {
	with := func(change func(*migrate.Edge)) []migrate.Edge {
		e := plain("B")
		change(&e)
		return []migrate.Edge{e}
	}
	for name, edges := range map[string][]migrate.Edge{
		"basic":        {plain("B")},
		"remark":       with(func(e *migrate.Edge) { e.Remark = "remark1" }),
		"remark_time":  with(func(e *migrate.Edge) { e.RemarkTime = 1420000001 }),
		"group_one":    with(func(e *migrate.Edge) { e.Groups = []string{"Friends"} }),
		"group_two":    with(func(e *migrate.Edge) { e.Groups = []string{"Colleagues", "Friends"} }),
		"add_wording":  with(func(e *migrate.Edge) { e.AddWording = "I'm Test1" }),
		"add_time":     with(func(e *migrate.Edge) { e.AddTime = 1420000001 }),
		"negative":     with(func(e *migrate.Edge) { e.AddTime = -1 }),
		"custom_text":  with(func(e *migrate.Edge) { e.Custom = []migrate.CustomItem{{Tag: "Tag_SNS_Custom_XXXX", Value: "Test"}} }),
		"custom_digit": with(func(e *migrate.Edge) { e.Custom = []migrate.CustomItem{{Tag: "Tag_SNS_Custom_XXXX", Value: "7"}} }),
		"custom_int": with(func(e *migrate.Edge) {
			e.Custom = []migrate.CustomItem{{Tag: "Tag_SNS_Custom_YYYY", Value: "0", Integer: true}}
		}),
		"custom_big": with(func(e *migrate.Edge) {
			e.Custom = []migrate.CustomItem{{Tag: "Tag_SNS_Custom_YYYY", Value: "18446744073709551615", Integer: true}}
		}),
		"digits":    {{From: "10001", To: "10002", AddSource: "AddSource_Type_Import"}},
		"order":     {plain("C"), plain("A2"), plain("B")},
		"html":      with(func(e *migrate.Edge) { e.Remark = "<b>&'\u2028" }),
		"escapes":   with(func(e *migrate.Edge) { e.AddWording = "\"\\/\n\r\t\x01\x7f" }),
		"unicode":   with(func(e *migrate.Edge) { e.Remark = "好友 é 😀" }),
		"empties":   with(func(e *migrate.Edge) { e.Groups, e.Custom = []string{}, []migrate.CustomItem{} }),
		"full_page": fullPage(),
	} {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("testdata", "import_"+name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := written(importBody(edges[0].From, edges))
			if err != nil {
				t.Fatal(err)
			}
			if want = bytes.TrimSuffix(want, []byte("\n")); !bytes.Equal(got, want) {
				t.Errorf("body:\n got %s\nwant %s", got, want)
			}
		})
	}
}

// fullPage is the vendor's sample of a batch request.
func fullPage() []migrate.Edge {
	source := "AddSource_Type_XXXXXXXX"
	return []migrate.Edge{
		{From: "id", To: "id1", AddSource: source},
		{From: "id", To: "id2", Remark: "remark2", RemarkTime: 1420000001, Groups: []string{"Friends"}, AddSource: source, AddWording: "I'm Test2", AddTime: 1420000001},
		{From: "id", To: "id3", Remark: "remark3", RemarkTime: 1420000001, Groups: []string{"Colleagues", "Friends"}, AddSource: source, AddWording: "I'm Test3",
			AddTime: 1420000001, Custom: []migrate.CustomItem{{Tag: "Tag_SNS_Custom_XXXX", Value: "Test"}, {Tag: "Tag_SNS_Custom_YYYY", Value: "0", Integer: true}}},
	}
}

func TestGoldenBodiesOfCheckAndGet(t *testing.T) {
	check, err := written(friendsBody("10001", []string{"1", "b<", "c"}, checkSingle))
	if want := `{"From_Account":"10001","To_Account":["1","b<","c"],"CheckType":"CheckResult_Type_Single"}`; err != nil || string(check) != want {
		t.Errorf("friend_check: %s %v", check, err)
	}
	get, err := written(getBody("10001", 300))
	if want := `{"From_Account":"10001","StartIndex":300,"StandardSequence":0,"CustomSequence":0}`; err != nil || string(get) != want {
		t.Errorf("friend_get: %s %v", get, err)
	}
}

// TestEdgeBytesAreExact: the engine cuts calls by this number.
func TestEdgeBytesAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var edges []migrate.Edge
		for range 1 + rng.IntN(5) {
			edges = append(edges, randomEdge(rng))
		}
		body, err := written(importBody(edges[0].From, edges))
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for i := range edges {
			sum += EdgeBytes(&edges[i])
		}
		empty, _ := written(importBody(edges[0].From, nil))
		if want := len(body) - len(empty) + 1; sum != want {
			t.Fatalf("EdgeBytes says %d, the body has %d: %s", sum, want, body)
		}
		if want := EmptyCallBytesOf(edges[0].From) + sum; len(body) != want {
			t.Fatalf("EmptyCallBytesOf and EdgeBytes say %d, the body has %d: %s", want, len(body), body)
		}
		if len(body) > EmptyCallBytes+sum {
			t.Fatalf("the body of %d bytes is larger than %d + %d", len(body), EmptyCallBytes, sum)
		}
		if !json.Valid(body) {
			t.Fatalf("the body is no JSON: %s", body)
		}
	}
	e := fullPage()[2]
	if n := testing.AllocsPerRun(100, func() { EdgeBytes(&e) }); n != 0 {
		t.Errorf("EdgeBytes allocates %v times", n)
	}
}

// TestTextBytesOfEveryByte: eight bytes are looked at at once, and none may hide among its
// neighbours.
func TestTextBytesOfEveryByte(t *testing.T) {
	for size := range 18 {
		for place := range size {
			for c := range 256 {
				for _, around := range []byte{'a', ' ', '!', '#', '[', ']', 0x7f, 0x80, 0xff, '"'} {
					b := bytes.Repeat([]byte{around}, size)
					b[place] = byte(c)
					if body, _ := appendText(nil, string(b)); textBytes(string(b)) != len(body) {
						t.Fatalf("%q: %d bytes, said to be %d", b, len(body), textBytes(string(b)))
					}
				}
			}
		}
	}
}

func randomText(rng *rand.Rand, most int) string {
	letters := []rune("ab\"\\<>&\n\r\t\x01\x1f\x7fé好😀\u2028/'")
	var b strings.Builder
	for range rng.IntN(most) {
		b.WriteRune(letters[rng.IntN(len(letters))])
	}
	return b.String()
}

func randomEdge(rng *rand.Rand) migrate.Edge {
	e := migrate.Edge{From: "A" + randomText(rng, 8), To: randomText(rng, 12), AddSource: "AddSource_Type_" + randomText(rng, 5)}
	if rng.IntN(2) == 0 {
		e.Remark, e.RemarkTime, e.AddTime, e.AddWording = randomText(rng, 20), rng.Int64()-rng.Int64(), rng.Int64N(3), randomText(rng, 20)
	}
	for range rng.IntN(4) {
		e.Groups = append(e.Groups, randomText(rng, 9))
	}
	for range rng.IntN(3) {
		e.Custom = append(e.Custom, migrate.CustomItem{Tag: "Tag_" + randomText(rng, 4), Value: randomText(rng, 9)},
			migrate.CustomItem{Tag: "Tag_SNS_Custom_N", Value: "-42", Integer: true})
	}
	return e
}

// TestInvalidTextIsNotSent: encoding/json would make another account of it.
func TestInvalidTextIsNotSent(t *testing.T) {
	bad := plain("a\xff")
	if body, err := written(importBody("A", []migrate.Edge{bad})); err == nil {
		t.Errorf("sent: %q", body)
	}
	for _, value := range []string{"", "-", "01", "1.0", "1e3", "x", "0x1", "+1", "1 "} {
		e := plain("B")
		e.Custom = []migrate.CustomItem{{Tag: "Tag_SNS_Custom_N", Value: value, Integer: true}}
		if body, err := written(importBody("A", []migrate.Edge{e})); err == nil {
			t.Errorf("integer %q was sent: %s", value, body)
		}
	}
}

func thousand() []migrate.Edge {
	edges := make([]migrate.Edge, migrate.MaxChunkEdges)
	for i := range edges {
		edges[i] = fullPage()[2]
		edges[i].To = "u" + strings.Repeat("0", 6) + string(rune('a'+i%26)) + strings.Repeat("x", i/26%8)
	}
	for i := range edges {
		edges[i].To += "_" + string(rune('0'+i/100)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10))
	}
	return edges
}

func BenchmarkEncodeImport1000(b *testing.B) {
	edges := thousand()
	body, _ := written(importBody("id", edges))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := written(importBody("id", edges)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEdgeBytes(b *testing.B) {
	for name, e := range map[string]migrate.Edge{"full": fullPage()[2], "bare": {From: "u00012345", To: "u00012346", AddSource: "AddSource_Type_Import"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				EdgeBytes(&e)
			}
		})
	}
}

// written returns the body of a call, and the error of writing it.
func written(w *writer) ([]byte, error) { return w.b, w.err }
