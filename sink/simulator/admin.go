package simulator

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// serveAdmin serves the server's own record under /_sim/: stats as JSON, and the graph in order, as
// a JSON array with a line for each edge. POST put and remove change one edge without any check, as
// another user of the app would.
func (s *Server) serveAdmin(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch r.Method + " " + r.URL.Path {
	case "GET /_sim/stats":
		e := jsontext.NewEncoder(w, jsontext.WithIndent("  "))
		json.MarshalEncode(e, s.Stats(), json.Deterministic(true)) //nolint:errcheck // the client is gone then
	case "GET /_sim/graph":
		if err := s.serveGraph(w); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	case "POST /_sim/put":
		s.Put(r.FormValue("From_Account"), Friend{To: r.FormValue("To_Account"), AddSource: r.FormValue("AddSource")})
	case "POST /_sim/remove":
		s.Remove(r.FormValue("From_Account"), r.FormValue("To_Account"))
	default:
		http.NotFound(w, r)
	}
}

// edge is a line of the graph, with the API's names.
type edge struct {
	From string `json:"From_Account"`
	Friend
}

// MarshalJSON writes a custom field in the API's form: a string or an integer.
func (c Custom) MarshalJSON() ([]byte, error) {
	return object([]member{{"Tag", text(c.Tag)}, {"Value", c.json()}}), nil
}

func (s *Server) serveGraph(w io.Writer) error {
	if s.graph.compact {
		return errors.New("the graph is compact: it holds hashes only; see graph_digest in /_sim/stats")
	}
	out := bufio.NewWriterSize(w, 64<<10)
	defer out.Flush() //nolint:errcheck // the client is gone then
	names, _, _ := s.graph.names()
	slices.Sort(names)
	between := "[\n"
	for _, from := range names {
		friends := s.graph.friends(from)
		slices.SortFunc(friends, func(a, b Friend) int { return strings.Compare(a.To, b.To) })
		for _, f := range friends {
			out.WriteString(between)
			if err := json.MarshalWrite(out, edge{from, f}); err != nil {
				return err
			}
			between = ",\n"
		}
	}
	if len(names) == 0 {
		out.WriteString("[")
	}
	out.WriteString("\n]\n")
	return nil
}
