package simulator

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// serveAccount serves what lies below /_sim/:
//
//	GET  stats                              Stats as JSON
//	GET  graph[?format=jsonl|csv][&sorted=1][&from=ID]   the graph, streamed; JSON: an array of edges
//	POST put, remove                        edges as JSON Lines, {"From_Account":…,"To_Account":…,…}: into the graph or out of it, without any check
//	POST config?FLAG=VALUE&…                changes flags (Config.Flags) from the next call on
//	GET  flags                              the flags that config takes
//	any  redirected                         where redirects lead to
func (s *Server) serveAccount(w http.ResponseWriter, r *http.Request) {
	want := http.MethodGet
	var serve func(http.ResponseWriter, *http.Request) error
	switch r.URL.Path {
	case "/_sim/stats":
		serve = s.serveStats
	case "/_sim/graph":
		serve = s.serveGraph
	case "/_sim/flags":
		serve = s.serveFlags
	case "/_sim/put", "/_sim/remove":
		want, serve = http.MethodPost, s.serveEdit
	case "/_sim/config":
		want, serve = http.MethodPost, s.serveConfig
	case "/_sim/redirected":
		s.tally.redirected()
		return
	default:
		http.NotFound(w, r)
		return
	}
	if r.Method != want {
		w.Header().Set("Allow", want)
		http.Error(w, "use "+want, http.StatusMethodNotAllowed)
		return
	}
	if err := serve(w, r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func (s *Server) serveStats(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.Encode(s.Stats()) //nolint:errcheck // nobody to tell
	return nil
}

// edge is a line of the graph, under the API's names.
type edge struct {
	From string `json:"From_Account"`
	Friend
}

// MarshalJSON writes a custom field in the API's form: a string or an integer.
func (c Custom) MarshalJSON() ([]byte, error) {
	b := append(appendQuoted([]byte(`{"Tag":`), c.Tag), `,"Value":`...)
	if c.Integer {
		b = append(b, c.Value...)
	} else {
		b = appendQuoted(b, c.Value)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads the API's form.
func (c *Custom) UnmarshalJSON(b []byte) error {
	var m struct {
		Tag   string
		Value json.RawMessage
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	c.Tag = m.Tag
	if len(m.Value) > 0 && m.Value[0] == '"' {
		c.Integer = false
		return json.Unmarshal(m.Value, &c.Value)
	}
	c.Integer = true
	var n json.Number
	err := json.Unmarshal(m.Value, &n)
	c.Value = n.String()
	return err
}

// errCompact says why a compact graph can't be read back.
var errCompact = errors.New("the graph is compact: it holds hashes only; see graph_digest in /_sim/stats")

func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) error {
	if s.graph.compact {
		return errCompact
	}
	q := r.URL.Query()
	names := s.graph.names()
	if q.Has("from") {
		names = slices.DeleteFunc(names, func(n string) bool { return n != q.Get("from") })
	}
	byTo := q.Get("sorted") == "1"
	if byTo {
		slices.Sort(names)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	defer out.Flush() //nolint:errcheck // nobody to tell
	edges := s.edges(names, byTo)
	switch format := q.Get("format"); format {
	case "", "json":
		w.Header().Set("Content-Type", "application/json")
		writeLines(out, edges, "[\n", ",\n", "\n]\n")
	case "jsonl":
		w.Header().Set("Content-Type", "application/x-ndjson")
		writeLines(out, edges, "", "\n", "\n")
	case "csv":
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		writeCSV(out, edges)
	default:
		return fmt.Errorf("format %q is not json, jsonl or csv", format)
	}
	return nil
}

// writeLines writes edges as JSON objects with something before, between and behind them; nothing
// at all if there are none and nothing is before them.
func writeLines(out *bufio.Writer, edges func(func(edge) bool), before, between, behind string) {
	out.WriteString(before)
	n := 0
	edges(func(e edge) bool {
		if n++; n > 1 {
			out.WriteString(between)
		}
		line, err := json.Marshal(e)
		if err != nil {
			return false
		}
		_, err = out.Write(line)
		return err == nil
	})
	if n > 0 || before != "" {
		out.WriteString(behind)
	}
}

// serveEdit changes the graph from outside, as if somebody else were using the app.
func (s *Server) serveEdit(w http.ResponseWriter, r *http.Request) error {
	d := json.NewDecoder(r.Body)
	n := 0
	for {
		var e edge
		if err := d.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("edge %d: %w", n+1, err)
		}
		if e.From == "" || e.To == "" {
			return fmt.Errorf("edge %d: From_Account or To_Account is missing", n+1)
		}
		if r.URL.Path == "/_sim/put" {
			s.Put(e.From, e.Friend)
			n++
		} else if s.Remove(e.From, e.To) {
			n++
		}
	}
	fmt.Fprintf(w, "{\"edges\":%d}\n", n)
	return nil
}

func (s *Server) serveConfig(_ http.ResponseWriter, r *http.Request) error {
	var err error
	s.Reconfigure(func(c *Config) {
		changed := *c
		flags := changed.Flags()
		for name, values := range r.URL.Query() {
			i := slices.IndexFunc(flags, func(f Flag) bool { return f.Name == name })
			if i < 0 {
				err = fmt.Errorf("no flag is called %q", name)
				return
			}
			for _, v := range values {
				if e := flags[i].Set(v); e != nil {
					err = fmt.Errorf("%s: %w", name, e)
					return
				}
			}
		}
		*c = changed
	})
	return err
}

func (s *Server) serveFlags(w http.ResponseWriter, _ *http.Request) error {
	for _, f := range new(Config).Flags() {
		fmt.Fprintf(w, "--%s %s\n\t%s\n", f.Name, f.Value, f.Usage)
	}
	return nil
}

// redirected counts a client that followed a redirect.
func (t *tally) redirected() {
	t.Lock()
	defer t.Unlock()
	t.sum.Redirected++
}
