package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"friendmigrate/migrate/disk"
)

// changedJob is a finished pilot of a small job and what a test changes of it before it is run
// again.
type changedJob struct {
	t      *testing.T
	input  string
	inputs []string // to be named instead of input
	flags  []string
}

func (c *changedJob) read() []byte {
	b, err := os.ReadFile(c.input)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

func (c *changedJob) write(name string, b []byte) {
	if err := os.WriteFile(name, b, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// edit changes the content of the input.
func (c *changedJob) edit(change func(b []byte) []byte) { c.write(c.input, change(c.read())) }

// beside is a name in the folder of the input.
func (c *changedJob) beside(name string) string { return filepath.Join(filepath.Dir(c.input), name) }

func (c *changedJob) stamp() time.Time {
	info, err := os.Stat(c.input)
	if err != nil {
		c.t.Fatal(err)
	}
	return info.ModTime()
}

func (c *changedJob) move(name string) {
	if err := os.Rename(c.input, name); err != nil {
		c.t.Fatal(err)
	}
	c.inputs = []string{name}
}

func withFlags(words ...string) func(*changedJob) {
	return func(c *changedJob) { c.flags = words }
}

// Changes that leave it the same job.
var sameJob = map[string]func(*changedJob){
	"nothing": func(*changedJob) {},
	"touched": func(c *changedJob) {
		if err := os.Chtimes(c.input, time.Now(), time.Now().Add(-time.Hour)); err != nil {
			c.t.Fatal(err)
		}
	},
	"written again with the same content": func(c *changedJob) { c.edit(func(b []byte) []byte { return b }) },
	"another file with the same content": func(c *changedJob) {
		c.write(c.beside("copy.csv"), c.read())
		c.inputs = []string{c.beside("copy.csv")}
	},
	"renamed": func(c *changedJob) { c.move(c.beside("renamed.csv")) },
	"named by its folder": func(c *changedJob) {
		folder := c.beside("folder")
		if err := os.Mkdir(folder, 0o700); err != nil {
			c.t.Fatal(err)
		}
		c.move(filepath.Join(folder, "x.csv"))
		c.inputs = []string{folder}
	},
	"gone": func(c *changedJob) {
		if err := os.Remove(c.input); err != nil {
			c.t.Fatal(err)
		}
	},
	"other chunking":           withFlags("--chunk-bytes", "1KiB"),
	"other pace":               withFlags("--rate", "5000", "--workers", "1", "--timeout", "7s"),
	"other memory":             withFlags("--memory", "900MiB"),
	"other thresholds":         withFlags("--max-failures", "1000", "--max-attempts", "3", "--max-friends", "5"),
	"a default written out":    withFlags("--duplicates", "last", "--invalid-field=reject", "--mutual=false"),
	"asking before it imports": withFlags("--only-missing"),
	"other log":                withFlags("--log-format", "json", "--log-level", "info"),
}

// Changes that make it another job.
var anotherJob = map[string]func(*changedJob){
	"a byte in the middle": func(c *changedJob) {
		c.edit(func(b []byte) []byte { return bytes.Replace(b, []byte(",f7,"), []byte(",g7,"), 1) })
	},
	"a byte in the middle, the time put back": func(c *changedJob) {
		was := c.stamp()
		c.edit(func(b []byte) []byte { return bytes.Replace(b, []byte(",f7,"), []byte(",g7,"), 1) })
		if err := os.Chtimes(c.input, was, was); err != nil {
			c.t.Fatal(err)
		}
	},
	"the last byte": func(c *changedJob) { c.edit(func(b []byte) []byte { return append(b[:len(b)-2], "X\n"...) }) },
	"a row more": func(c *changedJob) {
		c.edit(func(b []byte) []byte { return append(b, "u9,f9,AddSource_Type_Import,\n"...) })
	},
	"a row fewer": func(c *changedJob) {
		c.edit(func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1] })
	},
	"empty": func(c *changedJob) { c.edit(func(b []byte) []byte { return b[:bytes.IndexByte(b, '\n')+1] }) },
	"rows in other order": func(c *changedJob) {
		c.edit(func(b []byte) []byte {
			lines := strings.SplitAfter(string(b), "\n")
			slices.Reverse(lines[1 : len(lines)-1])
			return []byte(strings.Join(lines, ""))
		})
	},
	"columns in other order": func(c *changedJob) {
		c.edit(func(b []byte) []byte {
			return bytes.Replace(b, []byte("From_Account,To_Account"), []byte("To_Account,From_Account"), 1)
		})
	},
	"lines that end otherwise": func(c *changedJob) {
		c.edit(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) })
	},
	"a byte order mark": func(c *changedJob) { c.edit(func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }) },
	"compressed": func(c *changedJob) {
		c.edit(func(b []byte) []byte {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			if _, err := z.Write(b); err != nil {
				c.t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				c.t.Fatal(err)
			}
			return packed.Bytes()
		})
	},
	"one input more": func(c *changedJob) {
		c.write(c.beside("more.csv"), c.read())
		c.inputs = []string{c.input, c.beside("more.csv")}
	},
	"other mapping":               withFlags("--map", "Remark=Note"),
	"other source":                withFlags("--default-add-source", "AddSource_Type_Web"),
	"other integers":              withFlags("--integer-tags", "Level"),
	"the first of duplicates":     withFlags("--duplicates", "first"),
	"fields cut":                  withFlags("--invalid-field", "cut"),
	"reverses added":              withFlags("--mutual"),
	"another app":                 withFlags("--sdk-app-id", "1400000043"),
	"another service":             withFlags("--endpoint", "http://127.0.0.1:1"),
	"a region in place of a host": withFlags("--region", "singapore"),
	"a share of it":               withFlags("--shard", "0/2"),
}

// A job that is run again is told from another job by what it is about, before the first call, and
// by nothing else.
func TestChangedInput(t *testing.T) {
	t.Parallel()
	j := newSmallJob(t, 0)
	l := &j.lives[1]
	run := func(t *testing.T, change func(*changedJob)) (s *smallService, state string, code int, out string) {
		t.Helper()
		state = filepath.Join(t.TempDir(), "state")
		c := &changedJob{t: t, input: filepath.Join(t.TempDir(), "edges.csv")}
		original, err := os.ReadFile(j.input)
		if err != nil {
			t.Fatal(err)
		}
		c.write(c.input, original)
		j.copy(t, l, state)
		s = j.serve(l)
		change(c)
		if c.inputs == nil {
			c.inputs = []string{c.input}
		}
		code, out = s.runOver(disk.OS{}, state, c.inputs, c.flags...)
		return s, state, code, out
	}
	for what, change := range sameJob {
		t.Run("same/"+what, func(t *testing.T) {
			t.Parallel()
			s, state, code, out := run(t, change)
			l.ended(t, s, state, code, out)
		})
	}
	for what, change := range anotherJob {
		t.Run("another/"+what, func(t *testing.T) {
			t.Parallel()
			s, state, code, out := run(t, change)
			if code != 10 || !strings.Contains(out, "; hint: ") {
				t.Errorf("exit code %d\n%s", code, out)
			}
			if calls := s.sim.Stats().Calls; calls > 0 {
				t.Errorf("%d calls were made", calls)
			}
			for name, was := range durableFiles(t, l.folder) {
				if is, err := os.ReadFile(filepath.Join(state, name)); err != nil || !bytes.Equal(is, was) {
					t.Errorf("%s was changed (%v)", name, err)
				}
			}
		})
	}
}
