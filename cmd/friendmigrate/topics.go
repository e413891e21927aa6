package main

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// pages are the help topics: text files, so that they can be read in the repository, too.
//
//go:embed topics/*.md
var pages embed.FS

// topics are the names of the pages.
func topics() (names []string) {
	files, _ := fs.Glob(pages, "topics/*.md")
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".md"))
	}
	return names
}

// topic is the text of a page; more are the words after its name. ok is false if there is no such
// page.
func (p *program) topic(name string, more []string) (text string, ok bool, err error) {
	if name == "man" {
		return p.manPage(), true, nil
	}
	if !slices.Contains(topics(), name) {
		return "", false, nil
	}
	if name == "codes" && len(more) > 0 {
		text, err := p.codeHelp(more[0])
		return text, true, err
	}
	page, err := pages.ReadFile("topics/" + name + ".md")
	return string(page), true, err
}

// codeHelp says what a code of the service means and what the program does about it.
func (p *program) codeHelp(word string) (string, error) {
	code, err := strconv.Atoi(word)
	if err != nil {
		return "", job.Unusable(p.Line().Of("codes", "30008"), "%q is not a code: codes are numbers, such as 30008", word)
	}
	c, known := sink.LookupCode(code)
	if !known {
		return "", job.Unusable(p.Line().Of("codes"), "the vendor's tables do not have the code %d", code)
	}
	text := fmt.Sprintf("%d: %s\n", code, c.Advice)
	if c.Level&sink.OnItem != 0 {
		text += "\nFor one edge: " + onItem[c.Item] + "\n"
	}
	if c.Level&sink.OnCall != 0 {
		text += "\nFor a whole call: " + onCall[c.Call] + "\n"
	}
	return text, nil
}

var onItem = map[migrate.Kind]string{
	migrate.Failed:  "the edge fails with this code and is listed in failed.csv. --retry-failed sends it again.",
	migrate.Again:   "only this edge is sent again, later, up to 8 attempts and 10 minutes.",
	migrate.Already: "the edge is in place; it counts as already.",
}

var onCall = map[migrate.Verdict]string{
	migrate.VerdictRetry:    "the call is sent again with growing pauses, up to 8 attempts and 10 minutes.",
	migrate.VerdictThrottle: "the whole job slows down and climbs back. It costs no attempt.",
	migrate.VerdictSplit: "the call is halved until the edges that spoil it stand alone. These fail; the others\n" +
		"land. If everything is refused, the job stops with exit code 6.",
	migrate.VerdictRefuseChunk:   "all edges of the call fail with this code.",
	migrate.VerdictRefuseAccount: "all edges of the From_Account fail with this code, and no more calls are made for it.",
	migrate.VerdictUnknown: "three attempts, then the edges of the call fail with this code, but only while other\n" +
		"accounts get through.",
	migrate.VerdictSuspect: "before the first success the job ends with exit code 12; later it holds.",
	migrate.VerdictFatal:   "the job ends with exit code 12 and resumes after the cause is fixed.",
}
