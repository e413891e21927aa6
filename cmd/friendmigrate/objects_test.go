package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"friendmigrate/cmd/trial/graph"
	"friendmigrate/sink/simulator"
)

// network is the CSV of a social network.
func network(t *testing.T, edges int64) []byte {
	t.Helper()
	var b bytes.Buffer
	o := graph.Default()
	o.Edges, o.Mean = edges, 44
	g, err := graph.New(o)
	if err == nil {
		err = g.Write(&b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// jsonl is a CSV without optional fields as JSONL.
func jsonl(t *testing.T, data []byte) []byte {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, row := range rows[1:] {
		fmt.Fprintf(&b, "{%q:%q,%q:%q,%q:%q}\n", rows[0][0], row[0], rows[0][1], row[1], rows[0][2], row[2])
	}
	return b.Bytes()
}

// cutInThree divides a CSV into parts with a header each.
func cutInThree(data []byte) [][]byte {
	lines := bytes.SplitAfter(data, []byte("\n"))
	head, rows := lines[0], lines[1:]
	var parts [][]byte
	for part := range slices.Chunk(rows, (len(rows)+2)/3) {
		parts = append(parts, append(slices.Clone(head), bytes.Join(part, nil)...))
	}
	return parts
}

func TestANetworkFromObjectStorageIsTheOneFromFiles(t *testing.T) {
	t.Parallel()
	s := startStore(t)
	data := network(t, 30_000)
	dir := t.TempDir()
	file := filepath.Join(dir, "friends.csv")
	parts := cutInThree(data)
	for name, content := range map[string][]byte{"friends.csv": data, "last.csv": parts[2]} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.put("one/friends.csv", data, true)
	s.put("one/friends.csv.gz", pack(t, ".gz", data), false)
	s.put("one/friends.jsonl.zst", pack(t, ".zst", jsonl(t, data)), false)
	s.put("one/export", data, false) // a name that says nothing
	for i, part := range parts {
		s.put(fmt.Sprintf("parts/%d.csv", i), part, false)
	}
	s.put("parts/README.txt", []byte("not an input"), false)
	s.put("parts/below/other.csv", data, false)

	env := settingsOf(t, "")
	want := imported(t, env, filepath.Join(dir, "files"), file)
	t.Log(want)
	env = s.settings(env)
	for _, inputs := range [][]string{{"s3://graph/one/friends.csv.gz"}, {"s3://graph/parts/"}} {
		if got := imported(t, env, t.TempDir(), inputs...); got != want {
			t.Errorf("%q: %s, want %s", inputs, got, want)
		}
	}
	plan := planned(t, env, file)
	for _, inputs := range [][]string{
		{"s3://graph/one/friends.csv"}, {"s3://graph/one/friends.jsonl.zst"}, {"--format", "csv", "s3://graph/one/export"},
		{"s3://graph/parts"}, {"s3://graph/parts/0.csv", "s3://graph/parts/1.csv", filepath.Join(dir, "last.csv")},
	} {
		if got := planned(t, env, inputs...); got != plan {
			t.Errorf("%q: %+v, want %+v", inputs, got, plan)
		}
	}
	if testing.Short() { // the other runs have an object that is uploaded in more than one part
		return
	}
	large := network(t, 150_000)
	if len(large) <= 5<<20 {
		t.Errorf("%d bytes are one part", len(large))
	}
	if err := os.WriteFile(filepath.Join(dir, "large.csv"), large, 0o600); err != nil {
		t.Fatal(err)
	}
	s.put("large.csv", large, true)
	if got, want := planned(t, env, "s3://graph/large.csv"), planned(t, env, filepath.Join(dir, "large.csv")); got != want {
		t.Errorf("in two parts: %+v, want %+v", got, want)
	}
}

// plannedGraph is what a plan says of a graph, whatever inputs it comes from.
type plannedGraph struct {
	Edges, Accounts, Calls int64
	Bytes                  int64 `json:"bytesOnTheWire"`
	Mutual                 struct{ Share float64 }
}

func planned(t *testing.T, env map[string]string, inputs ...string) (p plannedGraph) {
	t.Helper()
	out, _ := call(t, 0, env, append([]string{"plan", "--json", "--state", filepath.Join(t.TempDir(), "state")}, inputs...)...)
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	if p.Edges == 0 || p.Calls == 0 || p.Bytes == 0 || p.Mutual.Share == 0 {
		t.Errorf("%q: %s", inputs, out)
	}
	return p
}

// objectJob is a job whose input is an object.
type objectJob struct {
	t     *testing.T
	store *store
	app   *simulator.Server
	env   map[string]string
	state string
}

const smallInput = "From_Account,To_Account,AddSource\na,b,AddSource_Type_Test\nb,a,AddSource_Type_Test\nno,,AddSource_Type_Test\n"

func newObjectJob(t *testing.T) *objectJob {
	j := &objectJob{t: t, store: startStore(t), state: filepath.Join(t.TempDir(), "state")}
	app, url := serveApp(t, simulator.Config{})
	j.app, j.env = app, j.store.settings(settingsOf(t, url))
	return j
}

func (j *objectJob) run(code int, args ...string) (out, last string) {
	j.t.Helper()
	return call(j.t, code, j.env, append(args, "--state", j.state)...)
}

// etag is what the job remembers of its first input.
func (j *objectJob) etag() string {
	j.t.Helper()
	manifest := content(j.t, j.state, "staged", "manifest.json")
	found := regexp.MustCompile(`"etag": *"([^"]+)"`).FindStringSubmatch(manifest)
	if found == nil {
		j.t.Fatalf("no ETag in %s", manifest)
	}
	return found[1]
}

func TestTheSameContentInAnotherObjectIsTheSameJob(t *testing.T) {
	t.Parallel()
	j := newObjectJob(t)
	j.store.put("in.csv", []byte(smallInput), false)
	j.run(3, "import", "s3://graph/in.csv")
	first := j.etag()
	if list := content(t, j.state, "rejected.csv"); !strings.Contains(list, "s3://graph/in.csv,4,") {
		t.Errorf("rejected.csv does not name the object: %s", list)
	}
	calls := j.app.Stats().Calls

	j.store.put("in.csv", []byte(smallInput), true) // uploaded again, in parts
	j.run(3, "import", "s3://graph/in.csv")
	second := j.etag()
	if first == second {
		t.Errorf("the ETag is %s before and after", first)
	}
	j.store.put("elsewhere/in.csv", []byte(smallInput), false)
	j.run(3, "import", "s3://graph/elsewhere/")
	j.run(3, "verify", "s3://graph/elsewhere/in.csv") // a row of it was rejected
	calls = j.app.Stats().Calls - calls
	if calls != 2 {
		t.Errorf("%d calls, want those of the verify alone", calls)
	}
}

func TestAChangedObjectIsRefusedBeforeTheFirstCall(t *testing.T) {
	t.Parallel()
	j := newObjectJob(t)
	j.store.put("in.csv", []byte(smallInput), false)
	j.run(3, "import", "s3://graph/in.csv")
	calls := j.app.Stats().Calls
	j.store.put("in.csv", []byte(strings.Replace(smallInput, "a,b", "a,c", 1)), false)
	if _, last := j.run(10, "import", "s3://graph/in.csv"); !strings.Contains(last, "s3://graph/in.csv") {
		t.Errorf("it does not say which: %s", last)
	}
	j.run(10, "verify", "s3://graph/in.csv")
	if _, last := j.run(3, "plan", "s3://graph/in.csv"); !strings.Contains(last, "s3://graph/in.csv") {
		t.Errorf("the hint names another input: %s", last)
	}
	j.store.remove("in.csv") // and gone: the stage is there
	j.run(3, "import", "s3://graph/in.csv")
	j.run(3, "import", "s3://graph/in/")
	j.env["AWS_SECRET_ACCESS_KEY"] += "x" // and the store refuses
	j.run(3, "import", "s3://graph/in.csv")
	if now := j.app.Stats().Calls; now != calls {
		t.Errorf("%d calls, want none more", now-calls)
	}
}

func TestObjectStorageThatCannotBeUsedSaysWhy(t *testing.T) {
	t.Parallel()
	j := newObjectJob(t)
	j.store.put("in.csv", []byte(smallInput), false)
	j.store.put("broken.csv.gz", pack(t, ".gz", []byte(smallInput))[:30], false)
	keys := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(keys, []byte("[default]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		env  map[string]string
		args []string
		says string
	}{
		{2, nil, []string{"s3://graph/nope.csv"}, "there is no such object"},
		{2, nil, []string{"s3://nobucket/in.csv"}, "there is no such bucket"},
		{2, nil, []string{"s3://graph/nope/"}, "there are no objects below this prefix"},
		{2, nil, []string{"s3://graph/broken.csv.gz"}, "cut short"},
		{2, nil, []string{"cos://graph/in.csv"}, "s3://BUCKET/KEY"},
		{2, map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, []string{"s3://graph/in.csv"}, "no credentials were found"},
		{2, map[string]string{"AWS_SECRET_ACCESS_KEY": storeSecret + "x"}, []string{"s3://graph/in.csv"}, "secret access key is wrong"},
		{2, map[string]string{"AWS_ACCESS_KEY_ID": "NOBODY"}, []string{"s3://graph/in.csv"}, "access key"},
		{2, map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "nope", "AWS_SHARED_CREDENTIALS_FILE": keys}, []string{"s3://graph/in.csv"}, `AWS_PROFILE: .* has no profile "nope"`},
		{2, map[string]string{"AWS_REGION": "eu-west-1"}, []string{"s3://graph/in.csv"}, "use --s3-region us-east-1"},
		{2, map[string]string{"AWS_ENDPOINT_URL_S3": "http://store.example.com"}, []string{"s3://graph/in.csv"}, "--allow-plain-http"},
		{4, map[string]string{"AWS_ENDPOINT_URL_S3": "http://" + freeAddress(t)}, []string{"s3://graph/in.csv"}, "cannot be reached.*; hint: friendmigrate import --state .* s3://graph/in.csv"},
	} {
		env := maps.Clone(j.env)
		maps.Copy(env, c.env)
		_, last := call(t, c.code, env, append([]string{"import", "--state", j.state}, c.args...)...)
		if !regexp.MustCompile(c.says).MatchString(last) || strings.Contains(last, storeSecret) {
			t.Errorf("%v %v: %s", c.env, c.args, last)
		}
		if entries, err := os.ReadDir(j.state); c.says != "cut short" && (err == nil || len(entries) > 0) {
			t.Errorf("%v %v: it leaves a state folder", c.env, c.args)
		}
		if err := os.RemoveAll(j.state); err != nil {
			t.Fatal(err)
		}
	}
	if n := j.app.Stats().Calls; n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestAnImportFromObjectStorageThatIsKilledLosesNothing(t *testing.T) {
	t.Parallel()
	j := newObjectJob(t)
	var input strings.Builder
	input.WriteString("From_Account,To_Account,AddSource\n")
	const edges, accounts = 4 * killedAccounts, killedAccounts
	for i := range edges {
		fmt.Fprintf(&input, "u%d,u%d,AddSource_Type_Test\n", i%accounts, (i%accounts+1+i/accounts)%accounts)
	}
	j.store.put("in.csv.zst", pack(t, ".zst", []byte(input.String())), false)
	j.app.Reconfigure(func(c *simulator.Config) { c.Latency = killedLatency })
	untilKilled(t, func(random *rand.Rand, _ int) int {
		state := filepath.Join(t.TempDir(), "state")
		n := killed(t, random, t.TempDir(), slowly(j.env), 0, "import", "s3://graph/in.csv.zst", "--state", state)
		var report struct {
			Edges struct{ Read, Imported, Already int64 }
		}
		if err := json.Unmarshal([]byte(content(t, state, "report.json")), &report); err != nil {
			t.Fatal(err)
		}
		if got := j.app.Stats().GraphEdges; got != edges || report.Edges.Read != edges || report.Edges.Imported+report.Edges.Already != edges {
			t.Fatalf("%d edges in the app, %+v in the report", got, report.Edges)
		}
		for _, name := range []string{"report.json", "checkpoint.journal", filepath.Join("staged", "manifest.json")} {
			if text := content(t, state, name); strings.Contains(text, storeSecret) || strings.Contains(text, "Signature") {
				t.Errorf("%s has what it should not", name)
			}
		}
		return n
	})
}
