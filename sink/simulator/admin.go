package simulator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// serveAdmin serves what lies below /_sim/:
//
//	GET  stats                Stats as JSON
//	GET  graph                the graph in order, as a JSON array with a line for each edge
//	POST put, remove          edges as JSON Lines, {"From_Account":…,"To_Account":…,…}:
//	                          into the graph or out of it, without any check
//	POST config?FLAG=VALUE&…  changes flags (Config.Flags) from the next call on
//	any  redirected           where redirects lead to
func (s *Server) serveAdmin(w http.ResponseWriter, r *http.Request) {
	serve, known := map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /_sim/stats": s.serveStats, "GET /_sim/graph": s.serveGraph, "POST /_sim/config": s.serveConfig,
		"POST /_sim/put": s.serveEdit, "POST /_sim/remove": s.serveEdit,
	}[r.Method+" "+r.URL.Path]
	switch {
	case r.URL.Path == "/_sim/redirected":
		s.tally.change(func(s *Stats) { s.Redirected++ })
	case !known:
		http.NotFound(w, r)
	default:
		if err := serve(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
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
	return object([]member{{"Tag", text(c.Tag)}, {"Value", c.json()}}), nil
}

// UnmarshalJSON reads the API's form.
func (c *Custom) UnmarshalJSON(b []byte) error {
	var m struct {
		Tag   string
		Value any
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err := d.Decode(&m)
	c.Tag, c.Value = m.Tag, fmt.Sprint(m.Value)
	_, c.Integer = m.Value.(json.Number)
	return err
}

func (s *Server) serveGraph(w http.ResponseWriter, _ *http.Request) error {
	if s.graph.compact {
		return errors.New("the graph is compact: it holds hashes only; see graph_digest in /_sim/stats")
	}
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriterSize(w, 64<<10)
	defer out.Flush() //nolint:errcheck // nobody to tell
	names, _ := s.graph.names()
	slices.Sort(names)
	between := "[\n"
	for _, from := range names {
		friends := s.graph.friends(from)
		slices.SortFunc(friends, func(a, b Friend) int { return strings.Compare(a.To, b.To) })
		for _, f := range friends {
			line, err := json.Marshal(edge{from, f})
			if err != nil {
				return err
			}
			out.WriteString(between)
			out.Write(line)
			between = ",\n"
		}
	}
	if len(names) == 0 {
		out.WriteString("[")
	}
	out.WriteString("\n]\n")
	return nil
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

func (s *Server) serveConfig(_ http.ResponseWriter, r *http.Request) (err error) {
	s.Reconfigure(func(c *Config) {
		changed := *c
		if err = changed.set(r.URL.Query()); err == nil {
			*c = changed
		}
	})
	return err
}

func (c *Config) set(values map[string][]string) error {
	known := map[string]Flag{}
	for _, f := range c.Flags() {
		known[f.Name] = f
	}
	for name, texts := range values {
		f, ok := known[name]
		if !ok {
			return fmt.Errorf("no flag is called %q", name)
		}
		for _, text := range texts {
			if err := f.Set(text); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}
