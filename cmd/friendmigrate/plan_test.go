package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/plan"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/sink/simulator"
)

// Whatever the input and the flags, the plan says to the digit what the import then does: the same
// rows, edges, accounts and rejects, as many calls as are sent, as many bytes as arrive. It is the
// same afterwards, and making it leaves the state as it was.
func TestPlanAndImportAgreeToTheDigit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 5))
			dir := t.TempDir()
			inputs, flags := randomInputs(t, random, dir)
			flags = append(flags, randomFlags(random)...)
			shards := random.IntN(3) * random.IntN(3)
			url, service := served(t)
			if shards == 0 {
				agrees(t, dir, url, service, flags, inputs)
			}
			var rejected, elsewhere int64 // of all shards
			for i := range shards {
				p := agrees(t, dir, url, service, append(slices.Clone(flags), fmt.Sprintf("--shard=%d/%d", i, shards)), inputs)
				rejected, elsewhere = rejected+p.Rejected, elsewhere+p.RejectedElsewhere
			}
			if want := rejected * int64(max(shards-1, 0)); elsewhere != want && !slices.Contains(flags, "error") {
				t.Errorf("the shards name %d rejected rows of each other, want %d", elsewhere, want)
			}
		})
	}
}

// agrees plans, imports, and plans again. It returns the rows that were planned.
func agrees(t *testing.T, dir, url string, service *counted, flags, inputs []string) plan.Rows {
	t.Helper()
	state := filepath.Join(dir, "state")
	rest := slices.Concat(flags, []string{"--state", state}, inputs)
	planned, code := planOf(t, rest)
	if names := namesIn(t, dir); slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, ".plan") }) || len(names) != len(slices.Compact(names)) {
		t.Errorf("left beside the state folder: %q", names)
	}
	service.bytes.Store(0)
	got := called(t, slices.Concat([]string{"import", "--sdk-app-id=" + scriptApp, "--endpoint", url}, rest))
	if got.code != code {
		t.Errorf("%q: plan ends with %d, import with %d\n%s", rest, code, got.code, got.err)
	}
	if code == 2 { // refused: nothing was sent
		return planned.Rows
	}
	place := state
	for _, f := range flags {
		if share, ok := strings.CutPrefix(f, "--shard="); ok {
			place = filepath.Join(state, "shard-"+strings.Replace(share, "/", "-of-", 1))
		}
	}
	var r report.Report
	text, err := os.ReadFile(filepath.Join(place, "report.json"))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	wire := service.bytes.Load()
	done := plan.Plan{
		Rows:  plan.Rows{Read: r.Rows.Read, Rejected: r.Rows.Rejected, Duplicate: r.Rows.Duplicate, Differing: r.Plan.Differing, Changed: r.Plan.Changed},
		Edges: r.Plan.Edges, Added: r.Sums.Added.Edges, Accounts: r.Plan.Accounts, Calls: r.Calls.Sent, ExtraCalls: r.Calls.Sent - r.Plan.Calls, Bytes: wire,
		OverFriends: r.Plan.OverFriends, OverGroups: r.Plan.OverGroups, Mutual: plan.Mutual{Share: r.Plan.MutualShare},
	}
	if want := figures(planned); !reflect.DeepEqual(done, want) {
		t.Errorf("%q:\nplanned  %+v\nimported %+v", rest, want, done)
	}
	by := map[string]int64{}
	for _, reason := range planned.RejectedBy {
		by[reason.Reason] = reason.Rows
	}
	if !maps.Equal(by, r.RejectedByReason) {
		t.Errorf("%q: rejected as planned %v, as imported %v", rest, by, r.RejectedByReason)
	}
	before := snapshotOf(t, state)
	again, _ := planOf(t, rest)
	if !reflect.DeepEqual(again, planned) {
		t.Errorf("%q: before\n%+v\nafterwards\n%+v", rest, planned, again)
	}
	if after := snapshotOf(t, state); !maps.Equal(after, before) {
		t.Errorf("%q: the state is another after a plan", rest)
	}
	return planned.Rows
}

// figures are those of a plan that an import has too.
func figures(p plan.Plan) plan.Plan {
	p.Rows.RejectedElsewhere = 0 // the shards whose rows they are have them in their reports
	return plan.Plan{
		Rows: p.Rows, Edges: p.Edges, Added: p.Added, Accounts: p.Accounts, Calls: p.Calls, ExtraCalls: p.ExtraCalls, Bytes: p.Bytes,
		OverFriends: p.OverFriends, OverGroups: p.OverGroups, Mutual: plan.Mutual{Share: p.Mutual.Share},
	}
}

func planOf(t *testing.T, rest []string) (p plan.Plan, code int) {
	t.Helper()
	got := called(t, slices.Concat([]string{"plan", "--json"}, rest))
	if got.code != 2 || got.out != "" {
		if err := json.Unmarshal([]byte(got.out), &p); err != nil || p.Code != got.code {
			t.Fatalf("plan %q: code %d, %v\n%s%s", rest, got.code, err, got.out, got.err)
		}
	}
	return p, got.code
}

type outcomeOfCall struct {
	code     int
	out, err string
}

// called runs the program inside this process.
func called(t *testing.T, args []string) outcomeOfCall {
	t.Helper()
	var out, errs bytes.Buffer
	env := map[string]string{"FRIENDMIGRATE_SECRET_KEY": scriptKey, "FRIENDMIGRATE_RATE": "100000", "FRIENDMIGRATE_WORKERS": "8"}
	code := run(t.Context(), append([]string{"friendmigrate"}, args...), job.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, env)
	return outcomeOfCall{code, out.String(), errs.String()}
}

// counted is a simulated service that adds up the bytes of friend_import calls.
type counted struct {
	*simulator.Server
	bytes atomic.Int64
}

func (c *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/friend_import") {
		c.bytes.Add(r.ContentLength)
	}
	c.Server.ServeHTTP(w, r)
}

func served(t *testing.T) (url string, c *counted) {
	t.Helper()
	c = &counted{Server: simulator.New(simulator.Config{App: simulator.App{SDKAppID: 1400000042, Key: scriptKey, Identifier: "administrator"}})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := c.HTTP()
	server.Handler = c
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(c.Listener(l)) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return "http://" + l.Addr().String(), c
}

// randomFlags chooses what a row means and how calls are cut.
func randomFlags(random *rand.Rand) []string {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	flags := []string{"--memory", pick("64MiB", "256MiB"), "--duplicates", pick("last", "first", "last", "error"), "--invalid-field", pick("reject", "drop", "cut")}
	if random.IntN(2) == 0 {
		flags = append(flags, "--mutual")
	}
	if random.IntN(2) == 0 {
		flags = append(flags, "--default-add-source", "AddSource_Type_Default")
	}
	if random.IntN(2) == 0 {
		flags = append(flags, "--chunk-bytes", pick("1KiB", "2000", "16KiB"))
	}
	if random.IntN(2) == 0 {
		flags = append(flags, "--max-friends", pick("0", "1", "20"))
	}
	if random.IntN(3) == 0 {
		flags = append(flags, "--integer-tags", "Tag_SNS_Custom_A")
	}
	if random.IntN(8) == 0 {
		flags = append(flags, "--strict")
	}
	return flags
}

// randomInputs writes some inputs with every kind of row, and gives the flags that they need.
func randomInputs(t *testing.T, random *rand.Rand, dir string) (names, flags []string) {
	t.Helper()
	accounts := 3 + random.IntN(60)
	from, mapped := "From_Account", random.IntN(4) == 0
	if mapped {
		from, flags = "uid", []string{"--map", "From_Account=uid"}
	}
	for i := range 1 + random.IntN(3) {
		var b strings.Builder
		name := filepath.Join(dir, fmt.Sprintf("in%d.csv", i))
		json := !mapped && random.IntN(3) == 0
		if json {
			name = filepath.Join(dir, fmt.Sprintf("in%d.jsonl", i))
		} else {
			b.WriteString(from + ",To_Account,AddSource,Remark,GroupName,AddTime,Tag_SNS_Custom_A\n")
		}
		for range 1 + random.IntN(1200) {
			randomRow(&b, random, accounts, json)
		}
		if !json && random.IntN(4) == 0 { // several chunks, the last of them full or not
			for k := range 1990 + random.IntN(20) {
				fmt.Fprintf(&b, "star,f%d,AddSource_Type_Test,,,,\n", k)
			}
		}
		names = append(names, writeInput(t, name, b.String(), random.IntN(3) == 0))
	}
	return names, flags
}

// writeInput writes an input, compressed or not, and gives its name.
func writeInput(t *testing.T, name, rows string, packed bool) string {
	t.Helper()
	content := []byte(rows)
	if packed {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		name, content = name+".gz", b.Bytes()
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func randomRow(b *strings.Builder, random *rand.Rand, accounts int, asJSON bool) {
	some := func(n int) bool { return random.IntN(n) == 0 }
	id := func() string {
		switch {
		case some(200):
			return ""
		case some(200):
			return strings.Repeat("long", 9)
		case some(50):
			return "\"quoted\" \\ " + fmt.Sprint(random.IntN(3))
		case some(4):
			return "hot"
		}
		return fmt.Sprintf("u%d", random.IntN(accounts))
	}
	row := map[string]any{"From_Account": id(), "To_Account": id(), "AddSource": "AddSource_Type_Test"}
	remark, group, time, custom := "", "", "", ""
	if some(20) {
		row["AddSource"] = ""
	}
	if some(4) {
		remark = strings.Repeat("é\t", random.IntN(60))
	}
	if some(4) {
		for range random.IntN(40) {
			group += fmt.Sprintf("g%d;", random.IntN(50))
		}
		group = strings.TrimSuffix(group, ";")
	}
	if some(5) {
		time = fmt.Sprint(1_700_000_000 + random.IntN(1000))
	}
	if some(100) {
		time = "soon"
	}
	if some(6) {
		custom = []string{"a \"b\" \\ <c>", "-17", "0"}[random.IntN(3)]
	}
	if !asJSON {
		cells := []string{row["From_Account"].(string), row["To_Account"].(string), row["AddSource"].(string), remark, group, time, custom}
		for i, c := range cells {
			cells[i] = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
		}
		fmt.Fprintln(b, strings.Join(cells, ","))
		return
	}
	row["Remark"] = remark
	if group != "" {
		row["GroupName"] = strings.Split(group, ";")
	}
	if time != "" && time != "soon" {
		row["AddTime"] = json.Number(time)
	}
	if custom != "" {
		row["CustomItem"] = []map[string]any{{"Tag": "Tag_SNS_Custom_A", "Value": custom}, {"Tag": "Tag_SNS_Custom_N", "Value": random.IntN(5)}}
	}
	line, _ := json.Marshal(row)
	b.Write(append(line, '\n'))
}

// snapshotOf is what lies in a folder: names, modes, times and contents.
func snapshotOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		content := []byte(nil)
		if !e.IsDir() {
			if content, err = os.ReadFile(name); err != nil {
				return err
			}
		}
		all[name] = fmt.Sprint(info.Mode(), info.ModTime().UnixNano(), info.Size()) + string(content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
