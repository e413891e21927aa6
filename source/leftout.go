package source

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"friendmigrate/migrate"
)

// LeftOut is what folders and prefixes hold that is not read.
type LeftOut struct {
	Files   int64    `json:"files"`
	Folders int64    `json:"folders"`
	First   []string `json:"first,omitempty"` // the names of the first of them, with the folder's name before it
	Empty   []string `json:"empty,omitempty"` // folders with nothing in them
}

// add counts something that is not read. What everybody hides is not counted, nor are the folders
// that this program makes in the folder where it runs.
func (l *LeftOut) add(name string, folder bool) {
	if base := path.Base(filepath.ToSlash(name)); isHidden(base) || folder &&
		strings.HasPrefix(base, "friendmigrate-") {
		return
	}
	if folder {
		l.Folders++
	} else {
		l.Files++
	}
	if len(l.First) < mostNamed {
		l.First = append(l.First, name)
	}
}

func (l *LeftOut) count() int64 { return l.Files + l.Folders }

// String says what was left out: "2 files and 1 folder (...)". It is empty where nothing was.
func (l *LeftOut) String() string {
	var kinds []string
	if l.Files > 0 {
		kinds = append(kinds, migrate.Some(l.Files, "file"))
	}
	if l.Folders > 0 {
		kinds = append(kinds, migrate.Some(l.Folders, "folder"))
	}
	if len(kinds) == 0 {
		return ""
	}
	return strings.Join(kinds, " and ") + ": " + quoted(l.First, l.count())
}

// take adds what one folder or prefix has beside its inputs. One in which nothing can be read
// although something is there is refused; an empty one is remembered.
func (l *LeftOut) take(folder string, found []Found, beside LeftOut) error {
	switch {
	case len(found) == 0 && beside.count() > 0:
		e := &InputError{Name: folder, Reason: "nothing in it can be read; it holds " + beside.String() + onlyRead}
		if w := kindByName(beside.First[0]); w != nil {
			e.Fix = w.fix(beside.First[0], compressionNone)
		}
		return e
	case len(found) == 0:
		l.Empty = append(l.Empty, folder)
	}
	l.Files, l.Folders = l.Files+beside.Files, l.Folders+beside.Folders
	l.First = append(l.First, beside.First[:min(len(beside.First), mostNamed-len(l.First))]...)
	return nil
}

// Warning is what a user has to know about it; empty where nothing was left out.
func (l *LeftOut) Warning() string {
	if l.count() == 0 {
		return ""
	}
	return "left out " + l.String() + onlyRead
}

// onlyRead says what a folder is read for.
const onlyRead = " (only .csv, .jsonl and .ndjson are read, also with .gz or .zst, and no subfolders; " +
	"--format reads other names)"

// mostNamed is how many things a message names.
const mostNamed = 3

// quoted names the first things of so many for a message, and says how many more there are.
func quoted(names []string, all int64) string {
	var list []string
	for _, name := range names[:min(len(names), mostNamed)] {
		list = append(list, fmt.Sprintf("%.100q", name))
	}
	text := strings.Join(list, ", ")
	if more := all - int64(len(list)); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
