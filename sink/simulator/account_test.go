package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

func (a *app) look(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	r, _ := http.NewRequest(method, a.url+path, strings.NewReader(body))
	w, err := a.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, string(b)
}

func TestAccountOverHTTP(t *testing.T) {
	a := start(t, Config{Readings: Readings{NoAddTime: true}})
	a.imports("z", "y", "b").want(t, 0)
	a.post(apiImport, itemBody("a", "c", `"Remark":"x,\"y\"","RemarkTime":5,"GroupName":["g","h"],"CustomItem":[{"Tag":"Tag_SNS_Custom_S","Value":"0"},{"Tag":"Tag_SNS_Custom_I","Value":0}]`))

	_, text := a.look(t, "GET", "/_sim/stats", "")
	var s Stats
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if s.Calls != 2 || s.GraphEdges != 3 || s.ByAPI[apiImport] != 2 || s.ByCode[0] != 2 || s.Digest != a.sim.Stats().Digest || s.Connections != 1 || s.Signatures != 1 {
		t.Errorf("stats: %s", text)
	}
	const lines = `{"From_Account":"a","To_Account":"c","Remark":"x,\"y\"","RemarkTime":5,"GroupName":["g","h"],"AddSource":"AddSource_Type_Import","CustomItem":[{"Tag":"Tag_SNS_Custom_S","Value":"0"},{"Tag":"Tag_SNS_Custom_I","Value":0}]}
{"From_Account":"z","To_Account":"b","AddSource":"AddSource_Type_Import"}
{"From_Account":"z","To_Account":"y","AddSource":"AddSource_Type_Import"}
`
	array := "[\n" + strings.ReplaceAll(strings.TrimSpace(lines), "\n", ",\n") + "\n]\n"
	var list []map[string]any
	if _, text := a.look(t, "GET", "/_sim/graph", ""); text != array || json.Unmarshal([]byte(text), &list) != nil || len(list) != 3 {
		t.Errorf("graph: %s", text)
	}

	b := start(t, Config{})
	b.look(t, "POST", "/_sim/put?From_Account=a&To_Account=b&AddSource=s", "")
	if !b.sim.Has("a", "b") {
		t.Error("nothing was put")
	}
	b.look(t, "POST", "/_sim/remove?From_Account=a&To_Account=b", "")
	if _, text := b.look(t, "GET", "/_sim/graph", ""); json.Unmarshal([]byte(text), &list) != nil || len(list) != 0 {
		t.Errorf("an empty graph: %q", text)
	}
}

func TestAccountRefusesWhatItCannotDo(t *testing.T) {
	a := start(t, Config{Compact: true})
	for _, test := range []struct {
		method, path string
		code         int
	}{{"GET", "/_sim/", 404}, {"GET", "/_sim/nope", 404}, {"POST", "/_sim/stats", 404}, {"GET", "/_sim/graph", 400}} {
		if code, text := a.look(t, test.method, test.path, ""); code != test.code {
			t.Errorf("%s %s: HTTP %d %s, want %d", test.method, test.path, code, text, test.code)
		}
	}
	if s := a.sim.Stats(); s.Calls != 0 {
		t.Errorf("looks are counted as calls: %+v", s)
	}
}

// A look at the account from beside must not count as a connection of the client.
func TestConnectionsThatCarryCallsCount(t *testing.T) {
	a := start(t, Config{})
	http.Get(a.url + "/_sim/stats")
	for range 5 {
		a.imports("a", "b").want(t, 0)
	}
	if s := a.sim.Stats(); s.Connections != 1 {
		t.Errorf("%d connections", s.Connections)
	}
	a.http.CloseIdleConnections()
	a.imports("a", "b").want(t, 0)
	if s := a.sim.Stats(); s.Connections != 2 {
		t.Errorf("stats: %+v", s)
	}
}
