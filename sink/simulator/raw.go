package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// rawAnswers is every way to break HTTP. It never changes.
var rawAnswers = rawKinds()

// rawKinds lists the ways in which HTTP itself can be broken, each with what is sent over the
// connection instead of an answer; it is closed then.
func rawKinds() []rawAnswer {
	const open = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	const head = open + "Connection: close\r\n" // else the next call could meet the end of the connection
	sized := func(b string) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(b), b) }
	chunk := func(b string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(b), b) }
	fixed := func(t string) func(string) string { return func(string) string { return t } }
	return []rawAnswer{
		{"no-http", "text that is no HTTP", false, fixed("hello\r\n\r\n")},
		{"bad-status", "a status line without a number", false,
			func(b string) string { return strings.Replace(sized(b), "200 OK", "abc OK", 1) }},
		{"bad-version", "HTTP/9.9", true, func(b string) string {
			return strings.Replace(sized(b), "HTTP/1.1",
				"HTTP/9.9", 1)
		}},
		{"headers-cut", "half of the headers", false, fixed(open[:len(open)-9])},
		{"header-bad", "a header line without a colon", false,
			func(b string) string { return strings.Replace(sized(b), "Content-Type:", "Content-Type", 1) }},
		{"header-huge", "a header of 12 MiB", false, func(b string) string {
			return head + "X-Filler: " +
				strings.Repeat("x", 12<<20) + "\r\n\r\n"
		}},
		{"length-short", "a Content-Length shorter than the body", false, func(b string) string {
			return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(b)/2, b)
		}},
		{"length-long", "a Content-Length longer than the body", false, func(b string) string {
			return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(b)+1, b)
		}},
		{"length-negative", "a negative Content-Length", false,
			func(b string) string { return head + "Content-Length: -1\r\n\r\n" + b }},
		{"length-twice", "two Content-Lengths that differ", false, func(b string) string {
			return fmt.Sprintf("%sContent-Length: %d\r\nContent-Length: 1\r\n\r\n%s", head, len(b), b)
		}},
		{"chunk-bad", "a chunk size that is none", false,
			func(b string) string { return head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + b }},
		{"chunk-cut", "chunks without an end", false, func(b string) string {
			return head + "Transfer-Encoding: chunked\r\n\r\n" + chunk(b)
		}},
		{"chunk-half", "half an answer in chunks, without an end", false, func(b string) string {
			return head + "Transfer-Encoding: chunked\r\n\r\n" + chunk(b[:len(b)/2])
		}},
		{"coding-unknown", "an unknown Transfer-Encoding", false,
			func(b string) string { return head + "Transfer-Encoding: rot13\r\n\r\n" + b }},
		{"continues", "a hundred times 100 Continue before the answer", true,
			func(b string) string { return strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100) + sized(b) }},
		{"switching", "101 Switching Protocols", false,
			fixed("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")},
		{"tls-alert", "a TLS alert", false, fixed("\x15\x03\x01\x00\x02\x02\x28")},
		{"http2", "a frame of HTTP/2", false, fixed("\x00\x00\x00\x04\x00\x00\x00\x00\x00")},
		{"zeros", "binary zeros", false, fixed(strings.Repeat("\x00", 4096))},
		{"length-none", "no length; the body ends with the connection", true,
			func(b string) string { return head + "\r\n" + b }},
		{"early-hints", "103 Early Hints before the answer", true,
			func(b string) string { return "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" + sized(b) }},
		{"bare-newlines", "header lines that end in a bare newline", true,
			func(b string) string { return strings.ReplaceAll(sized(b), "\r\n", "\n") }},
		{"two-answers", "the answer, and one more that nobody asked for", true, func(b string) string {
			return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s%sContent-Length: 2\r\n\r\n{}", open, len(b), b, open)
		}},
	}
}

// rawAnswer is one way to break HTTP.
type rawAnswer struct {
	name, note string
	believed   bool // a client may take the answer at its word, so it is always true
	text       func(body string) string
}

// RawKinds lists the kinds of broken HTTP: names for Faults.Raw and raw:NAME.
func RawKinds() []string {
	var names []string
	for _, r := range rawAnswers {
		names = append(names, r.name)
	}
	return names
}

// rawKind finds a kind by its name. It panics if there is none, as bodyKind does.
func rawKind(name string) *rawAnswer {
	for i := range rawAnswers {
		if rawAnswers[i].name == name {
			return &rawAnswers[i]
		}
	}
	panic("simulator: no broken HTTP is called " + strconv.Quote(name))
}

// raw sends broken HTTP and closes the connection.
func (k *call) raw(kind *rawAnswer) {
	if kind.believed {
		k.code, k.status = k.answer.code, http.StatusOK
	}
	text := kind.text(string(k.answer.append(nil, nil)))
	conn := k.hijack()
	defer conn.Close()
	k.settle()
	n, _ := conn.Write([]byte(text)) // the client may go before it has taken all of it
	k.s.tally.wrote(n)
}
