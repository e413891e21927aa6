package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/sink"
)

func TestEachTopicIsPrinted(t *testing.T) {
	t.Parallel()
	want := []string{"codes", "input", "kubernetes", "performance", "resume", "watching"}
	if got := topics(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the topics are %q", got)
	}
	root, _ := call(t, 0, nil, "help")
	if !strings.Contains(strings.Join(strings.Fields(root), " "), strings.Join(want, ", ")) {
		t.Errorf("help does not name the topics:\n%s", root)
	}
	for _, name := range want {
		if text, _ := call(t, 0, nil, "help", name); !strings.HasPrefix(text, "# ") || len(text) < 500 {
			t.Errorf("help %s prints %.80q", name, text)
		}
	}
}

func TestThePageOfCodesHasTheTableOfExitCodes(t *testing.T) {
	t.Parallel()
	page, _ := call(t, 0, nil, "help", "codes")
	for _, row := range exit.Table() {
		line := fmt.Sprintf("| %d | %s |", row.Code, row.Meaning)
		if !strings.Contains(strings.ReplaceAll(page, "`", ""), line) {
			t.Errorf("the page lacks %q", line)
		}
	}
}

func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	for _, c := range sink.Codes() {
		text, _ := call(t, 0, nil, "help", "codes", fmt.Sprint(c.Code))
		parts := strings.Split(text, "\n\n")
		if len(parts) < 2 || !strings.Contains(parts[0], c.Advice) || !strings.Contains(parts[0], c.EdgeAdvice()) {
			t.Errorf("%d: %q", c.Code, text)
		}
		for _, part := range parts[1:] {
			if _, what, _ := strings.Cut(part, ": "); len(what) < 20 {
				t.Errorf("%d: it does not say what follows: %q", c.Code, part)
			}
		}
	}
	for word, want := range map[string]string{"x": "help codes 30008", "99999": "help codes #"} {
		if _, last := call(t, 2, nil, "help", "codes", word); !strings.Contains(last, want) {
			t.Errorf("help codes %s ends with %q", word, last)
		}
	}
}

func TestTheShellCompletesValues(t *testing.T) {
	for line, want := range map[string]string{
		"import --region":          "china",
		"verify --log-format":      "console",
		"failures --code":          "30003",
		"import --duplicates":      "first",
		"export --format":          "jsonl",
		"plan --s3-addressing":     "virtual",
		"import --secret-key-file": "", // the shell goes on with files
		"import --max-friends":     "",
	} {
		out, _ := call(t, 0, nil, append(strings.Fields(line), completionFlag)...)
		if words := strings.Fields(out); want == "" && len(words) > 0 || want != "" && !slices.Contains(words, want) {
			t.Errorf("%s: %q", line, words)
		}
	}
	script, _ := call(t, 0, nil, "completion", "fish")
	if !strings.Contains(script, "complete -c friendmigrate") || strings.Contains(script, " -f -a ") {
		t.Errorf("fish is told not to complete files:\n%s", script)
	}
}

func TestTheManualPageHasEveryCommandAndFlag(t *testing.T) {
	page, _ := call(t, 0, nil, "help", "man")
	if strings.Contains(page, "%!") || !strings.Contains(page, "\n.B 12\n") {
		t.Error("an exit code is not written as a number")
	}
	for _, c := range allCommands() {
		if !strings.Contains(page, ".SS "+roff.Replace(c.name)+"\n") {
			t.Errorf("it lacks the command %s", c.name)
		}
		for _, f := range c.declared() {
			if !f.Hidden && !strings.Contains(page, `\-\-`+roff.Replace(f.Name)) {
				t.Errorf("it lacks --%s", f.Name)
			}
		}
	}
}

// Each command's help opens with examples, and the program knows every flag in them.
func TestTheExamplesOfTheHelpWork(t *testing.T) {
	for _, c := range allCommands() {
		page, err := pages.ReadFile("topics/commands/" + c.name + ".txt")
		if c.name == "version" || c.name == "help" {
			continue
		}
		head, _, _ := strings.Cut(string(page), "\n---\n")
		lines := strings.Split(strings.TrimSpace(head), "\n")
		if err != nil || c.name != "simulate" && (len(lines) < 2 || len(lines) > 3) { // simulate has recipes
			t.Errorf("%s has %d examples (%v)", c.name, len(lines), err)
			continue
		}
		for _, line := range lines {
			line, _, _ = strings.Cut(line, " #")
			line, _, _ = strings.Cut(line, " | ")
			line, _, _ = strings.Cut(line, " > ")
			for _, word := range strings.Fields(line) {
				if word == "--" {
					break
				}
				if name := flagName(word); name != "" && !settings.Has(c.declared(), name) {
					t.Errorf("%q: no flag --%s", line, name)
				}
			}
			if len(line) > 100 {
				t.Errorf("%q is too long", line)
			}
		}
	}
}
