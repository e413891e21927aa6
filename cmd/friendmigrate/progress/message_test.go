package progress

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/report"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func message(command, shard string, e exit.Ending, s Snapshot) Message {
	v := NewView()
	v.Begin(Labels{Command: command, Shard: shard})
	v.show(&s)
	m := v.Message(e)
	m.At = at
	return m
}

func TestAMessageSaysHowItEnded(t *testing.T) {
	account := report.Sums{Rows: report.Sum{Read: 3, Counts: checkpoint.Counts{Imported: 1}, Pending: 2, Balanced: true}}
	m := message("import", "1/4", exit.Ending{Code: exit.Unfinished, What: "stopped: bob is unknown", Public: "stopped", Hint: "friendmigrate import --identifier 'the admin' a.csv", Why: "outage"},
		Snapshot{Sums: &account, Calls: &Calls{Sent: 12}})
	want := `{"version":1,"command":"import","at":"2026-01-02T03:04:05Z","code":4,"why":"outage","what":"stopped","again":"yes, the same command resumes",` +
		`"hint":"friendmigrate import --identifier *** a.csv","shard":"1/4","counts":{"edges":{"read":3,"imported":1,"already":0,"alreadyUncertain":0,"failed":0,"rejected":0,"duplicate":0,` +
		`"pending":2,"balanced":true},"calls":12}}` + "\n"
	if got := string(m.Encode()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEveryCodeHasItsWord(t *testing.T) {
	words := map[string]bool{}
	for _, row := range exit.Table() {
		m := message("import", "", exit.Ending{Code: row.Code, What: "x"}, Snapshot{})
		if m.Why == "" || words[m.Why] || m.Again != row.Again {
			t.Errorf("%d: %+v", row.Code, m)
		}
		words[m.Why] = true
	}
}

func TestTheAdminIsNotNamed(t *testing.T) {
	for _, text := range []string{
		"import --identifier boss a.csv", "import --identifier=boss a.csv", "import -identifier 'bo ss' a.csv", `import --identifier "boss" a.csv`, `import --identifier 'bo'\''ss' a.csv`,
		`sign: the identifier "boss" is none`, `sign: the identifier "a\"boss" is none`,
		`--identifier is "boss\r", which`, `FRIENDMIGRATE_IDENTIFIER is "boss\r", which`,
	} {
		m := message("import", "", exit.Ending{What: text, Hint: text}, Snapshot{})
		if got := string(m.Encode()); strings.Contains(got, "ss' ") || strings.Contains(got, "boss") || !strings.Contains(got, "***") {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// FuzzEncode: whatever the texts, the message is one JSON object in valid UTF-8 that Kubernetes
// keeps whole, and short texts are in it as they are.
func FuzzEncode(f *testing.F) {
	for _, text := range []string{
		"", "short", "\"\\\n\t\x00\x01<&>", "\xff\xfe broken \xc3", strings.Repeat("x", 10000), strings.Repeat("\x00", 5000), strings.Repeat("汉", 4000), strings.Repeat("👩‍🚀", 900),
		strings.Repeat(`"`, 1400), strings.Repeat("\u2028", 900), strings.Repeat("a", 1399) + "é", strings.Repeat("\xff", 2000),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const huge = -1 << 63
		account := report.Sums{
			Rows:  report.Sum{Read: huge, Counts: checkpoint.Counts{Imported: huge, Already: huge, AlreadyUncertain: huge, Failed: huge}, Rejected: huge, Duplicate: huge, Pending: huge},
			Added: report.Added{Edges: 1, Counts: checkpoint.Counts{Imported: huge, Already: huge, AlreadyUncertain: huge, Failed: huge}, Pending: huge},
		}
		m := message(text, text, exit.Ending{Code: exit.Unfinished, What: text, Hint: text, Why: text}, Snapshot{Sums: &account, Calls: &Calls{Sent: huge}})
		b := m.Encode()
		var got Message
		if len(b) > Limit || !utf8.Valid(b) || bytes.Count(b, []byte("\n")) != 1 {
			t.Fatalf("%d bytes, valid %t: %q", len(b), utf8.Valid(b), b)
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v: %q", err, b)
		}
		valid := strings.ToValidUTF8(m.What, "\uFFFD")
		cut := got.What != valid
		if cut && (len(text) < 100 || !strings.HasPrefix(valid, strings.TrimSuffix(got.What, "…")) || len(b) < Limit/2) {
			t.Errorf("%q became %q", valid, got.What)
		}
	})
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhereTheMessageGoes(t *testing.T) {
	dir := t.TempDir()
	named, ofPod := filepath.Join(dir, "named"), filepath.Join(dir, "termination-log")
	if err := os.WriteFile(ofPod, []byte(strings.Repeat("old", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		env   map[string]string
		ofPod string
		want  string
	}{
		{"outside of a pod", nil, ofPod, ""},
		{"in a pod", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, ofPod, ofPod},
		{"in an indexed job", map[string]string{"JOB_COMPLETION_INDEX": "0"}, ofPod, ofPod},
		{"in a pod without the file", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, filepath.Join(dir, "none"), ""},
		{"where the variable says", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1", Variable: named}, ofPod, named},
	} {
		l := find(c.env, c.ofPod)
		if l.name != c.want {
			t.Errorf("%s: to %q", c.name, l.name)
		}
		if err := l.Write(Message{What: c.name}, false); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.want != "" && !strings.Contains(read(t, c.want), c.name) {
			t.Errorf("%s: %s", c.name, read(t, c.want))
		}
	}
	if strings.Contains(read(t, ofPod), "old") {
		t.Error("what was there before is still in the file")
	}
	if info, err := os.Stat(named); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a file of the system's was made")
	}
}

// Kubernetes has mounted the file: another one in its place would not be seen.
func TestTheFileStaysTheSame(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := Find(map[string]string{Variable: name}).Write(Message{}, false); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(name); err != nil || !os.SameFile(before, after) {
		t.Errorf("another file: %v", err)
	}
}

func TestWhatCannotBeWrittenToIsNoTrap(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{pipe, t.TempDir(), filepath.Join(t.TempDir(), "none", "log")} {
		if err := Find(map[string]string{Variable: name}).Write(Message{}, false); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNothingFollowsTheLastMessage(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	l := Find(map[string]string{Variable: name})
	for _, err := range []error{l.Write(Message{What: "first"}, false), l.Write(Message{What: "last"}, true), l.Write(Message{What: "late"}, false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, name); !strings.Contains(got, "last") {
		t.Error(got)
	}
}

// A variable that names an input, say, is no leave to write over it.
func TestAMessageIsWrittenOnlyOverAMessage(t *testing.T) {
	for content, refused := range map[string]bool{"": false, `{"version":1,"command":"import"}`: false, "From_Account,To_Account\n": true, `{"From_Account":"a"}`: true} {
		name := filepath.Join(t.TempDir(), "message")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := find(map[string]string{Variable: name}, Default).Write(Message{MessageVersion: MessageVersion}, false)
		now, _ := os.ReadFile(name)
		if (err != nil) != refused || (string(now) == content) != refused {
			t.Errorf("%q: %v, then %q", content, err, now)
		}
	}
}
