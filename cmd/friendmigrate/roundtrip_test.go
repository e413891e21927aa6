package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/sink/simulator"
)

// serveApp serves a simulated app on a loopback port and returns its URL.
func serveApp(t *testing.T, c simulator.Config) (*simulator.Server, string) {
	t.Helper()
	c.SDKAppID, c.Key = 1400000042, scriptKey
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := simulator.New(c)
	server := s.HTTP()
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.Listener(l)) }()
	t.Cleanup(func() {
		s.Close()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s, "http://" + l.Addr().String()
}

// settingsOf are the variables for an app.
func settingsOf(t *testing.T, url string) map[string]string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(scriptKey), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"FRIENDMIGRATE_SDK_APP_ID": scriptApp, "FRIENDMIGRATE_SECRET_KEY_FILE": key, "FRIENDMIGRATE_ENDPOINT": url, "FRIENDMIGRATE_RATE": "100000",
		"FRIENDMIGRATE_WORKERS": "30", "FRIENDMIGRATE_PROGRESS": "none", "FRIENDMIGRATE_LOG_LEVEL": "warn",
	}
}

// call runs the program in this process.
func call(t *testing.T, code int, env map[string]string, args ...string) (out, last string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := run(t.Context(), append([]string{"friendmigrate"}, args...), job.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr}, env)
	if got != code {
		t.Fatalf("%v: exit code %d, want %d\n%s", args, got, code, stderr.String())
	}
	if err := checkLastLine(got, stderr.String()); err != nil {
		t.Error(err)
	}
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	return stdout.String(), lines[len(lines)-1]
}

// every is a graph with every field and every kind of value.
func every() map[string][]simulator.Friend {
	graph := map[string][]simulator.Friend{}
	texts := []string{"", "plain", "a,b\"c'd", "line\nfeed", "carriage\r\nreturn", " spaces ", "=1+1", "汉字", "👩‍🚀 e\u0301", "tab\there", "\\u0041", "null", "<&>"}
	tags := []simulator.Custom{
		{Tag: "Tag_SNS_Custom_Text", Value: "007"}, {Tag: "Tag_SNS_Custom_Text", Value: "Ωmega; \"x\""}, {Tag: "Tag_SNS_Custom_Num", Value: "18446744073709551615", Integer: true},
		{Tag: "Tag_SNS_Custom_Num", Value: "-12", Integer: true}, {Tag: "Tag_SNS_Custom_Num", Value: "7", Integer: true},
	}
	for a := range 40 {
		from := fmt.Sprintf("account %d", a)
		for i := range a * 7 {
			f := simulator.Friend{To: fmt.Sprintf("friend-%d.%d@x", a, i), AddSource: "AddSource_Type_Test", Remark: texts[i%len(texts)], AddWording: texts[(i+3)%len(texts)], AddTime: uint64(i % 3 * 1_500_000_000)}
			if i%4 > 0 {
				f.Groups = []string{"g", "Gruppe Ü", "同学 & co"}[:i%4]
			}
			if i%3 > 0 {
				f.Custom = append(f.Custom, tags[i%2])
			}
			if i%5 > 1 {
				f.Custom = append(f.Custom, tags[i%5])
			}
			graph[from] = append(graph[from], f)
		}
	}
	return graph
}

// TestARoundTripChangesNothing: app, export, import into another app, verify --fields against what
// was exported, and the other app's own graph against the first one's. FRIENDMIGRATE_TEST_NETWORK
// names a CSV of another graph to try it with, which may be compressed.
func TestARoundTripChangesNothing(t *testing.T) {
	t.Parallel()
	graphs := map[string]func(*testing.T, *simulator.Server){
		"every field and kind of value": func(_ *testing.T, s *simulator.Server) {
			for from, list := range every() {
				s.Put(from, list...)
			}
		},
	}
	if name := os.Getenv("FRIENDMIGRATE_TEST_NETWORK"); name != "" {
		graphs["named network"] = func(t *testing.T, s *simulator.Server) { load(t, s, name) }
	}
	for name, fill := range graphs {
		for _, output := range []string{"out.jsonl.zst", "out.csv.gz"} {
			t.Run(name+" as "+output, func(t *testing.T) { roundTrip(t, fill, output) })
		}
	}
}

func roundTrip(t *testing.T, fill func(*testing.T, *simulator.Server), output string) {
	dir := t.TempDir()
	one, oneURL := serveApp(t, simulator.Config{Readings: simulator.Readings{PageSize: 37}})
	fill(t, one)
	ids := map[string]struct{}{}
	for from := range one.Graph {
		ids[from] = struct{}{}
	}
	names := make([]string, 0, len(ids))
	for id := range ids {
		names = append(names, id)
	}
	slices.Sort(names)
	if err := os.WriteFile(filepath.Join(dir, "ids"), []byte(strings.Join(names, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	output = filepath.Join(dir, output)
	began := time.Now()
	_, last := call(t, 0, settingsOf(t, oneURL), "export", "--accounts", filepath.Join(dir, "ids"), "--output", output)
	exported := time.Since(began)

	two, twoURL := serveApp(t, simulator.Config{Readings: simulator.Readings{NoAddTime: true}})
	env := settingsOf(t, twoURL)
	args := []string{"--state", filepath.Join(dir, "state")}
	if _, tags, found := strings.Cut(last, "--integer-tags "); found {
		args = append(args, "--integer-tags", strings.Fields(tags)[0])
	}
	call(t, 0, env, append([]string{"import", output}, args...)...)
	report, _ := call(t, 0, env, append([]string{"verify", output, "--fields", "--json"}, args...)...)
	var found struct{ Edges, InPlace, Missing, Different, Calls int64 }
	if err := json.Unmarshal([]byte(report), &found); err != nil {
		t.Fatal(err)
	}
	differences := compareGraphs(t, one, two)
	t.Logf("%d edges of %d accounts exported in %v, imported, verified in %d calls: %d missing, %d different, %d differences between the two apps", found.Edges, len(names), exported.Round(time.Millisecond), found.Calls, found.Missing, found.Different, differences)
	if found.InPlace != one.Stats().GraphEdges || found.Missing+found.Different != 0 || differences > 0 {
		t.Errorf("%s", report)
	}
}

// compareGraphs counts edges that are not the same in both, in any field.
func compareGraphs(t *testing.T, one, two *simulator.Server) (differences int) {
	t.Helper()
	text := func(s *simulator.Server) map[string]string {
		graph := map[string]string{}
		for from, f := range s.Graph {
			f.RemarkTime = 0 // cannot be read
			slices.SortFunc(f.Custom, func(a, b simulator.Custom) int { return strings.Compare(a.Tag, b.Tag) })
			graph[from+" -> "+f.To] = fmt.Sprintf("%+v", f)
		}
		return graph
	}
	a, b := text(one), text(two)
	for edge, was := range a {
		if is := b[edge]; is != was {
			if differences++; differences < 5 {
				t.Errorf("%s was %s, is %s", edge, was, is)
			}
		}
	}
	return differences + max(0, len(b)-len(a))
}

// load puts a CSV into an app.
func load(t *testing.T, s *simulator.Server, name string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	rows := csv.NewReader(r)
	header, err := rows.Read()
	if err != nil {
		t.Fatal(err)
	}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		from, friend := "", simulator.Friend{}
		for i, value := range row {
			switch header[i] {
			case "From_Account":
				from = value
			case "To_Account":
				friend.To = value
			case "Remark":
				friend.Remark = value
			case "AddSource":
				friend.AddSource = value
			case "AddWording":
				friend.AddWording = value
			case "AddTime":
				friend.AddTime, _ = strconv.ParseUint(value, 10, 64)
			case "GroupName":
				if value != "" {
					friend.Groups = strings.Split(value, ";")
				}
			default:
				if value != "" && strings.HasPrefix(header[i], "Tag_SNS_Custom_") {
					friend.Custom = append(friend.Custom, simulator.Custom{Tag: header[i], Value: value})
				}
			}
		}
		s.Put(from, friend)
	}
}
