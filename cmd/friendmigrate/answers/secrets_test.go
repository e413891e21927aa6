package answers

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// mirror is a service that repeats, wherever an answer has room for it, the URL that it was called
// with, and the signature in it. It keeps every signature that it ever saw.
type mirror struct {
	net.Listener
	answer func(u echo) string

	mu      sync.Mutex
	sigs    map[string]bool
	running sync.WaitGroup
}

// echo is what of a call can be repeated.
type echo struct{ url, sig string }

// newMirror serves answers that are written as they stand; the connection is closed after each.
// Nothing at all is a stalled call.
func newMirror(t testing.TB, answer func(echo) string) *mirror {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mirror{Listener: l, answer: answer, sigs: map[string]bool{}}
	m.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.running.Go(func() { m.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		m.running.Wait()
	})
	return m
}

func (m *mirror) serve(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	in := bufio.NewReader(c)
	r, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	body := make([]byte, r.ContentLength)
	for n := 0; n < len(body); {
		k, err := r.Body.Read(body[n:])
		if n += k; err != nil {
			break
		}
	}
	e := echo{url: "http://" + r.Host + r.URL.String(), sig: r.URL.Query().Get("usersig")}
	m.mu.Lock()
	m.sigs[e.sig] = true
	m.mu.Unlock()
	text := m.answer(e)
	if text == "" {
		_, _ = in.ReadByte() // until the client goes
		return
	}
	_, _ = c.Write([]byte(text))
}

// body is an answer of the API.
func body(text string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
}

// refusal is an answer of the API that refuses the call with words.
func refusal(code int, words string) string {
	return body(fmt.Sprintf(`{"ActionStatus":"FAIL","ErrorCode":%d,"ErrorInfo":%q}`, code, words))
}

// page is an answer from before the API.
func page(status string, header, text string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\n%sContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", status, header, len(text), text)
}

// mirrored are the ways in which a service can repeat what it was sent.
func mirrored() map[string]func(echo) string {
	long := strings.Repeat("x", 440)
	words := func(code int) func(echo) string {
		return func(e echo) string {
			return refusal(code, "bad request "+e.url+" with "+e.sig+" "+url.QueryEscape(e.url))
		}
	}
	list := map[string]func(echo) string{
		"a code that stops":                 words(70009),
		"a signature refused twice":         words(70001),
		"a locked app":                      words(70050),
		"a whole call refused":              words(30001),
		"an account refused":                words(30003),
		"a list refused":                    words(30010),
		"a passing code":                    words(30006),
		"an unknown code":                   words(12345),
		"a throttle":                        words(60007),
		"words that are cut in the middle":  func(e echo) string { return refusal(70009, long+e.sig) },
		"words that are cut in a parameter": func(e echo) string { return refusal(30003, long+"?usersig="+e.sig) },
		"an item refused": func(e echo) string {
			return body(fmt.Sprintf(`{"ResultItem":[{"To_Account":"u1","ResultCode":30009,"ResultInfo":%q}],"ActionStatus":"OK","ErrorCode":0}`, e.url))
		},
		"an item for somebody else": func(e echo) string {
			return body(fmt.Sprintf(`{"ResultItem":[{"To_Account":%q,"ResultCode":0}],"ActionStatus":"OK","ErrorCode":0}`, e.sig))
		},
		"another status of the API": func(e echo) string { return body(fmt.Sprintf(`{"ActionStatus":%q,"ErrorCode":0}`, e.sig)) },
		"a page of HTML":            func(e echo) string { return page("200 OK", "", "<html>"+e.url+"</html>") },
		"no JSON":                   func(e echo) string { return body(e.url) },
		"a redirect":                func(e echo) string { return page("302 Found", "Location: "+e.url+"&moved=1\r\n", e.url) },
		"a bad redirect":            func(e echo) string { return page("307 Temporary Redirect", "Location: ://"+e.sig+"\r\n", e.url) },
		"a refusal before the API":  func(e echo) string { return page("403 Forbidden", "", e.url) },
		"a refusal in JSON":         func(e echo) string { return strings.Replace(refusal(60002, e.url), "200 OK", "400 Bad Request", 1) },
		"a broken gateway":          func(e echo) string { return page("502 Bad Gateway "+e.sig, "", e.url) },
		"a request for patience":    func(e echo) string { return page("429 Too Many Requests", "Retry-After: "+e.sig+"\r\n", e.url) },
		"a status line of its own":  func(e echo) string { return "HTTP/1.1 " + e.sig + "\r\n\r\n" },
		"a version of its own":      func(e echo) string { return e.sig + " 200 OK\r\n\r\n" },
		"a header of its own":       func(e echo) string { return "HTTP/1.1 200 OK\r\n" + e.url + "\r\n\r\n" },
		"a length of its own":       func(e echo) string { return "HTTP/1.1 200 OK\r\nContent-Length: " + e.sig + "\r\n\r\n{}" },
		"a coding of its own":       func(e echo) string { return "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + e.sig + "\r\n\r\n{}" },
		"a compression of its own":  func(e echo) string { return page("200 OK", "Content-Encoding: "+e.sig+"\r\n", "{}") },
		"a chunk of its own":        func(e echo) string { return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + e.sig + "\r\n" },
		"a trailer of its own": func(e echo) string {
			return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: " + e.sig + "\r\n\r\n0\r\n\r\n"
		},
		"an answer nobody asked for": func(e echo) string {
			return body(`{"ActionStatus":"FAIL","ErrorCode":30006,"ErrorInfo":"x"}`) + "HTTP/1.1 500 " + e.url + "\r\n\r\n"
		},
		"half an answer": func(e echo) string { return body(e.url + e.url)[:120] },
		"no answer":      func(echo) string { return "" },
		"a switch": func(e echo) string {
			return "HTTP/1.1 101 " + e.sig + "\r\nConnection: Upgrade\r\nUpgrade: " + e.sig + "\r\n\r\n"
		},
	}
	return list
}

// TestSecrets lets the whole program run, at the debug level, into failures of many kinds, among
// them services that repeat the URL and the signature in every corner of an answer, and looks for
// the key and for every signature in all that it wrote.
func TestSecrets(t *testing.T) {
	t.Parallel()
	kinds := mirrored()
	var (
		all      sync.WaitGroup
		turns    = make(chan struct{}, 16) // most of them wait for a timeout
		count    int
		searched atomic.Int64
	)
	play := func(kind string, run func(p *program) (sigs map[string]bool)) {
		count++
		p := newProgram(t, ring(sceneAccounts, 1))
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			searched.Add(p.search(kind, run(p)))
		})
	}
	for kind, answer := range kinds {
		m := newMirror(t, answer)
		play(kind, func(p *program) map[string]bool {
			p.record(importing("http://"+m.Addr().String(), impatient()...)...)
			m.mu.Lock()
			defer m.mu.Unlock()
			if len(m.sigs) == 0 {
				t.Errorf("%s: no signature was seen", kind)
			}
			return m.sigs
		})
	}
	for kind, run := range unheard(t) {
		play(kind, run)
	}
	all.Wait()
	if count < 20 {
		t.Errorf("only %d kinds of failure", count)
	}
	t.Logf("%d kinds of failure at debug level, %d files and streams searched: no key, no signature", count, searched.Load())
}

// impatient are the flags of a run that soon gives up.
func impatient(more ...string) []string {
	return append([]string{"--log-level", "debug", "--log-format", "json", "--rate", "100000", "--workers", "4", "--timeout", "300ms", "--outage-timeout", "1s", "--max-duration", "5s"}, more...)
}

// record runs the program and keeps what it said beside its state.
func (p *program) record(args ...string) int {
	p.env = append(p.env, "FRIENDMIGRATE_TERMINATION_LOG="+p.path("message"))
	c, code := p.run(args...)
	if _, err := os.Stat(p.path("message")); err != nil {
		p.t.Errorf("no termination message: %v", err)
	}
	p.keep(c)
	return code
}

func (p *program) keep(c *process) {
	p.write("stdout", c.out.String())
	p.write("stderr", c.err.String())
}

// unheard are failures in which nobody answers, or not a service of ours.
func unheard(t *testing.T) map[string]func(p *program) map[string]bool {
	to := func(endpoint string, more ...string) func(p *program) map[string]bool {
		return func(p *program) map[string]bool {
			p.record(importing(endpoint, impatient(more...)...)...)
			return nil
		}
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	gate := newMirror(t, func(e echo) string { return "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n" })
	return map[string]func(p *program) map[string]bool{
		"connection refused": to("http://" + closed.Addr().String()),
		"no such host":       to("https://no-such-host.invalid"),
		"plain HTTP in place of TLS": func(p *program) map[string]bool {
			p.record(importing("https://"+gate.Addr().String(), impatient()...)...)
			return nil
		},
		"a proxy that refuses": func(p *program) map[string]bool {
			p.env = []string{"HTTPS_PROXY=http://user:" + key + "@" + gate.Addr().String()}
			p.record(importing("https://chat.invalid", impatient()...)...)
			return nil
		},
		"the key in place of its file": func(p *program) map[string]bool {
			p.record("import", "edges.csv", "--sdk-app-id", fmt.Sprint(app), "--secret-key-file", key, "--endpoint", "http://127.0.0.1:1")
			return nil
		},
		"a key with a space in it": func(p *program) map[string]bool {
			p.env = []string{"FRIENDMIGRATE_SECRET_KEY=" + key[:32] + " " + key[32:] + key}
			p.record("import", "edges.csv", "--sdk-app-id", fmt.Sprint(app), "--endpoint", "http://127.0.0.1:1")
			return nil
		},
		"the key in the endpoint": func(p *program) map[string]bool {
			p.record("import", "edges.csv", "--sdk-app-id", fmt.Sprint(app), "--secret-key-file", "key", "--endpoint", "https://user:"+key+"@chat.invalid/?usersig="+key)
			return nil
		},
		"a key file that is gone in the middle": keyGone,
		"killed in the middle":                  killed,
	}
}

// keyGone runs a job whose key file vanishes, with a signature that doesn't last.
func keyGone(p *program) map[string]bool {
	m := newMirror(p.t, func(e echo) string { return refusal(70001, e.url) })
	m.answer = func(e echo) string {
		_ = os.Remove(p.path("key"))
		return refusal(70001, e.url)
	}
	p.record(importing("http://"+m.Addr().String(), impatient()...)...)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sigs
}

// killed ends a job without giving it time for a word.
func killed(p *program) map[string]bool {
	var c *process
	ready := make(chan struct{})
	m := newMirror(p.t, func(e echo) string {
		<-ready
		_ = c.Process.Signal(syscall.SIGKILL)
		return ""
	})
	c = p.start(importing("http://"+m.Addr().String(), impatient()...)...)
	close(ready)
	if code := c.end(p.t); code != -1 {
		p.t.Errorf("killed: exit %d", code)
	}
	p.keep(c)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sigs
}

// search looks for the key and for signatures in everything that lies in the folder, and returns
// how many files that was.
func (p *program) search(kind string, sigs map[string]bool) (files int64) {
	var needles []string
	for _, secret := range slices.Concat(slices.Collect(maps.Keys(sigs)), []string{key}) {
		if len(secret) >= fragment {
			needles = append(needles, disguises(secret)...)
		}
	}
	err := filepath.WalkDir(p.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == p.path("key") {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files++
		if found := leak(content, needles); found != "" {
			p.t.Errorf("%s: %s has %q", kind, filepath.Base(name), found)
		}
		return nil
	})
	if err != nil {
		p.t.Error(err)
	}
	return files
}

// leak is the first place where one of the needles lies in content.
func leak(content []byte, needles []string) string {
	for _, needle := range needles {
		if i := bytes.Index(content, []byte(needle)); i >= 0 {
			return string(content[max(0, i-60):min(len(content), i+len(needle)+20)])
		}
	}
	return ""
}

// fragment is how many characters of a secret in a row are too many.
const fragment = 40

// disguises are the forms in which a secret, or a good part of one, can lie in a text: as it is,
// escaped for a URL, in base64 at any offset, and in hexadecimal digits.
func disguises(secret string) []string {
	var list []string
	for i := 0; i+fragment <= len(secret); i++ {
		part := secret[i : i+fragment]
		list = append(list, part)
		if escaped := url.QueryEscape(part); escaped != part {
			list = append(list, escaped)
		}
	}
	for offset := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			inner := encoding.EncodeToString([]byte("xx"[:offset] + secret))
			list = append(list, inner[4:4+fragment])
		}
	}
	return append(list, hex.EncodeToString([]byte(secret))[:fragment])
}
