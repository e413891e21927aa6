package sink

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"friendmigrate/migrate"
)

const (
	hintHost = "check --region or --endpoint, and whether a proxy or firewall on the way answers in the service's place"
	hintCert = "check --endpoint and the clock; behind a proxy that opens TLS, give its certificate with --ca-file"
	hintSign = "check --secret-key-file"

	hintProxy = "check HTTPS_PROXY, whether the proxy wants a user and a password, and whether it lets calls to this " +
		"host pass; NO_PROXY goes past it"
	hintPlain = "if the port expects TLS, --endpoint has to begin with https://; else " + hintHost
)

// callError returns the error of the whole call, or nil if there is none. kind is a short word for
// the statistics.
func (c *Client) callError(a *attempt) (e *migrate.CallError, kind string) {
	switch {
	case a.status != 0 && a.status != http.StatusOK:
		return c.statusError(a), "http_" + strconv.Itoa(a.status)
	case a.err != nil && a.status == 0:
		return c.transportError(a)
	case a.err != nil:
		return &migrate.CallError{Verdict: migrate.VerdictRetry, Info: c.scrub(a.err.Error()), Uncertain: true},
			readKind(a)
	case a.env.ok():
		return nil, "0"
	}
	known, _ := LookupCode(int(a.env.code.value))
	e = &migrate.CallError{
		Verdict:   known.Call,
		Code:      int(a.env.code.value),
		Info:      c.scrub(clean(a.env.info)),
		Uncertain: known.Uncertain,
		Answered:  true,
	}
	if e.Info == "" {
		e.Info = known.Advice
	}
	switch known.Call {
	case migrate.VerdictFatal:
		e.Hint = known.Advice
	case migrate.VerdictSuspect:
		e.Hint, e.Limit = known.Advice, wrongAppCalls
	}
	return e, strconv.Itoa(e.Code)
}

// statusError returns the error for a status other than 200. The API always answers with 200, so
// such an answer is from a machine before it.
func (c *Client) statusError(a *attempt) *migrate.CallError {
	e := &migrate.CallError{Code: a.status, Info: "HTTP " + strconv.Itoa(a.status)}
	if text := http.StatusText(a.status); text != "" {
		e.Info += " " + text
	}
	if a.env.code.value != 0 {
		e.Info += fmt.Sprintf(" (code %d: %s)", a.env.code.value, c.scrub(clean(a.env.info)))
	}
	e.Verdict, e.Uncertain = statusVerdict(a.status)
	switch e.Verdict {
	case migrate.VerdictThrottle:
		e.Pause = a.pause
	case migrate.VerdictSuspect:
		e.Limit, e.Hint = 1, hintHost
	}
	switch plain := c.endpoint.Scheme == "http"; {
	case plain && c.proxy != nil: // without CONNECT, the status may be the proxy's
		e.Info += c.byProxy()
		if e.Hint != "" {
			e.Hint = hintProxy
		}
	case plain && a.status == http.StatusBadRequest:
		e.Hint = hintPlain
	}
	return e
}

// transportError returns the error of an attempt without an answer.
func (c *Client) transportError(a *attempt) (*migrate.CallError, string) {
	e := &migrate.CallError{Verdict: migrate.VerdictRetry, Info: c.scrub(a.err.Error()), Uncertain: a.connected}
	kind := transportKind(a.err)
	switch kind {
	case "proxy":
		refused, _ := errors.AsType[*proxyError](a.err)
		addProxyHint(e, refused)
	case "files":
		e.Info = "this machine's limit of open files is reached, and no fault of the service: raise it with ulimit " +
			"-n, " +
			"or give fewer --workers (" + e.Info + ")"
	case "sign":
		e.Verdict, e.Hint = migrate.VerdictFatal, hintSign
	case "x509":
		e.Verdict, e.Limit, e.Hint = migrate.VerdictSuspect, 1, hintCert
	}
	return e, kind
}

func readKind(a *attempt) string {
	switch {
	case errors.Is(a.err, errOversize):
		return "oversize"
	case a.readErr != nil:
		return transportKind(a.err)
	}
	return "unreadable"
}

// transportKind returns a word for the reason why a call got no answer.
func transportKind(err error) string {
	switch netErr, isNet := errors.AsType[net.Error](err); {
	case isA[*proxyError](err):
		return "proxy"
	case isA[*signError](err):
		return "sign"
	case isA[*tls.CertificateVerificationError](err): // any error of the certificate
		return "x509"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "files"
	case errors.Is(err, context.DeadlineExceeded), isNet && netErr.Timeout():
		return "timeout"
	case isA[tls.RecordHeaderError](err), isA[tls.AlertError](err):
		return "tls"
	case isA[*net.DNSError](err):
		return "dns"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "cut"
	}
	return "transport"
}

func isA[E error](err error) bool {
	_, is := errors.AsType[E](err)
	return is
}

// paceResponse returns what the result of a call says about the pace.
func paceResponse(e *migrate.CallError) response {
	switch {
	case e == nil || e.Answered && e.Verdict != migrate.VerdictThrottle:
		return taken
	case e.Verdict == migrate.VerdictThrottle:
		return refused
	}
	return silent
}

const mostInfo = 512

// clean makes the service's text valid UTF-8 and limits its length.
func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return migrate.Shorten(s, mostInfo)
}

// leastKey is the shortest key that scrub looks for. Anything shorter is no key, and would be found
// everywhere.
const leastKey = 8

var (
	userInfo   = regexp.MustCompile(`://[^\s"']+@`)
	queryParam = regexp.MustCompile(`(?i)usersig=[^&\s"']*`)
	// the beginning of everything that went through zlib and base64, as every UserSig did
	anySig = regexp.MustCompile(`eJ[0-9A-Za-z*_-]{40,}`)
)

// scrub removes secrets from a text. There should never be any: the signature is added below the
// code that makes most errors, and services have no reason to repeat it. But an error may quote
// what was sent or received.
func (c *Client) scrub(text string) string {
	if len(text) < leastKey {
		return text
	}
	sig, key := c.signer.secrets()
	text = strings.ReplaceAll(text, sig, mask)
	if len(key) >= leastKey {
		text = strings.ReplaceAll(text, key, mask)
	}
	for _, secret := range c.proxySecrets {
		text = strings.ReplaceAll(text, secret, mask)
	}
	text = queryParam.ReplaceAllString(text, "usersig="+mask)
	text = anySig.ReplaceAllString(text, mask)
	return userInfo.ReplaceAllString(text, "://"+mask+"@")
}

// proxyError is the error of a proxy whose answer to CONNECT is not 200.
type proxyError struct {
	host   string // of the proxy
	status int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy %s refused the connection: HTTP %d %s", e.host, e.status, http.StatusText(e.status))
}

// onConnect keeps the status of the answer to CONNECT. net/http would keep only its text.
func onConnect(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode != http.StatusOK {
		return &proxyError{proxy.Host, res.StatusCode}
	}
	return nil
}

// byProxy returns text that names the proxy, or "" if there is none.
func (c *Client) byProxy() string {
	if c.proxy == nil {
		return ""
	}
	return " through the proxy " + c.proxy.Host
}

// addProxyHint treats a proxy that refuses us as a wrong setting. A proxy that cannot reach the
// service is temporary. Its status is then not the Code, because the service did not send it.
func addProxyHint(e *migrate.CallError, refused *proxyError) {
	if v, _ := statusVerdict(refused.status); v == migrate.VerdictSuspect {
		e.Verdict, e.Code, e.Limit, e.Hint = v, refused.status, 1, hintProxy
	}
}

// proxySecrets returns the forms in which a proxy's user and password are sent.
func proxySecrets(proxy *url.URL) (list []string) {
	if proxy == nil || proxy.User == nil {
		return nil
	}
	password, _ := proxy.User.Password()
	pair := proxy.User.Username() + ":" + password
	header := base64.StdEncoding.EncodeToString([]byte(pair))
	for _, secret := range []string{header, proxy.User.String(), pair, password} {
		if len(secret) >= leastPassword {
			list = append(list, secret)
		}
	}
	return list
}

// leastPassword is the shortest password that scrub looks for. A shorter one would be found
// everywhere.
const leastPassword = 4
