package job

import (
	"bytes"
	"cmp"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
)

// code parses the Go files of a folder, without tests.
func code(t *testing.T, folder string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// calls goes through the calls of functions and methods with one of these names.
func calls(files []*ast.File, names []string, visit func(*ast.CallExpr)) {
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if ok && slices.Contains(names, lastName(c.Fun)) {
				visit(c)
			}
			return true
		})
	}
}

func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// eventName is the name of an event that Event makes.
func eventName(e ast.Expr) string {
	if c, ok := e.(*ast.CallExpr); ok && lastName(c.Fun) == "Event" {
		return literal(c.Args[0])
	}
	return ""
}

func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		s, _ := strconv.Unquote(l.Value)
		return s
	}
	return ""
}

// zapKeys are the keys of zap's fields among the arguments.
func zapKeys(args []ast.Expr) (keys []string) {
	for _, a := range args {
		c, ok := a.(*ast.CallExpr)
		if !ok {
			continue
		}
		if s, ok := c.Fun.(*ast.SelectorExpr); !ok || lastName(s.X) != "zap" {
			continue
		}
		if lastName(c.Fun) == "Error" {
			keys = append(keys, "error")
		} else {
			keys = append(keys, literal(c.Args[0]))
		}
	}
	return keys
}

// used finds the events of the code by their name, with the keys that come with
// each. An entry without an event is an error.
func used(t *testing.T) map[string]map[string]bool {
	t.Helper()
	found := map[string]map[string]bool{}
	note := func(name string, keys []string) {
		if found[name] == nil {
			found[name] = map[string]bool{}
		}
		for _, k := range keys {
			found[name][k] = true
		}
	}
	own := slices.Concat(code(t, ".."), code(t, "../*"))
	calls(own, []string{"Debug", "Info", "Warn", "Error"}, func(c *ast.CallExpr) {
		if s := c.Fun.(*ast.SelectorExpr); !strings.EqualFold(lastName(s.X), "log") || c.Ellipsis.IsValid() {
			return
		}
		name := ""
		for _, a := range c.Args {
			if name = cmp.Or(eventName(a), name); lastName(a) == "event" {
				return // Warner's
			}
		}
		if name == "" {
			t.Errorf("an entry has no event: %s", literal(c.Args[0]))
		}
		note(name, zapKeys(c.Args))
	})
	calls(own, []string{"Warner"}, func(c *ast.CallExpr) { note(eventName(c.Args[0]), nil) })
	var engine []string // what Engine adds
	calls(own, []string{"append"}, func(c *ast.CallExpr) {
		if lastName(c.Args[0]) == "fields" {
			engine = append(engine, zapKeys(c.Args)...)
		}
	})
	calls(code(t, "../../../migrate"), []string{"event"}, func(c *ast.CallExpr) { note(literal(c.Args[0]), engine) })
	calls(code(t, "../../../sink"), []string{"Debug", "Warn", "warn"}, func(c *ast.CallExpr) {
		for i := 1; i < len(c.Args) && !c.Ellipsis.IsValid(); i += 2 {
			note("client", []string{literal(c.Args[i])})
		}
	})
	note("client", []string{"times"})
	return found
}

func TestTheTopicListsEveryEventWithItsKeys(t *testing.T) {
	topic, err := os.ReadFile("../topics/watching.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(topic), "| event | level |")
	if !ok {
		t.Fatal("no table of events")
	}
	section, _, _ = strings.Cut(section, "\n\n")
	found := used(t)
	for _, row := range regexp.MustCompile("(?m)^\\| `.*$").FindAllString(section, -1) {
		cells := strings.Split(row, " | ")
		if len(cells) != 4 || cells[1] == "" || cells[3] == "" {
			t.Fatalf("not a row of event, levels, keys and meaning: %s", row)
		}
		name := strings.Trim(cells[0], "|` ")
		keys, isUsed := found[name]
		if !isUsed {
			t.Errorf("no entry is called %s", name)
		}
		want := slices.Sorted(slices.Values(strings.Fields(strings.ReplaceAll(cells[2], "`", ""))))
		if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, want) {
			t.Errorf("%s has the keys %v; listed are %v", name, got, want)
		}
		delete(found, name)
	}
	for name := range found {
		t.Errorf("%s is not listed", name)
	}
}

// A reader of the log relies on these keys.
func TestALineOfTheLogHasItsKeys(t *testing.T) {
	var b bytes.Buffer
	log, err := newLog(settings.Output{LogFormat: "json", LogLevel: "debug"}, terminal.New(&b, nil))
	if err != nil {
		t.Fatal(err)
	}
	log.Info("words", Event("resume"), zap.Int64("settled", 3))
	clientLog{log}.Warn("an answer was odd", "api", "friend_import")
	logEngine(log)(migrate.Event{Name: "hold", Code: 30006, N: 2, Text: "x"})
	want := []map[string]any{
		{"level": "info", "msg": "words", "event": "resume", "settled": 3.0},
		{"level": "warn", "msg": "an answer was odd", "event": "client", "api": "friend_import"},
		{"level": "warn", "msg": "nothing gets through, so sending is held; it is tried again by itself. The last answer: x", "event": "hold", "code": 30006.0, "edges": 2.0},
	}
	for i, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if _, has := got["time"]; !has {
			t.Errorf("no time in %s", line)
		}
		delete(got, "time")
		if !maps.Equal(got, want[i]) {
			t.Errorf("got %v, want %v", got, want[i])
		}
	}
}
