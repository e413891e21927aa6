package sink

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Limits on what an answer may cost us.
const (
	answerLimit    = 4 << 20  // bytes of an answer's body
	friendGetLimit = 64 << 20 // the same for friend_get, which sends all fields of each friend
	drainLimit     = 256 << 10
	headerLimit    = 64 << 10
	// less than the 60 s and more of the usual load balancers, so that no call uses a connection
	// that they have closed
	idleTimeout     = 50 * time.Second
	transportBuffer = 16 << 10
)

var (
	errOversize   = errors.New("the answer is too large")
	errCompressed = errors.New("the answer is compressed, which nobody asked for")
)

// signError is the error of a request that did not leave because there was no signature.
type signError struct{ error }

func (e *signError) Unwrap() error { return e.error }

// fixedQuery returns the part of the query that never changes. A space is %20, because the service
// may not accept the + of forms.
func fixedQuery(app uint64, identifier string) string {
	return "sdkappid=" + strconv.FormatUint(app, 10) + "&identifier=" + strings.ReplaceAll(url.QueryEscape(identifier),
		"+", "%20")
}

// newTransport returns the transport. It uses HTTP/1.1 only, because HTTP/2 sends POSTs again by
// itself and shares one connection that may break for all calls. It keeps as many connections as
// there are workers and decompresses nothing.
func newTransport(c Config, proxy *url.URL) (*http.Transport, error) {
	roots, err := loadRoots(c)
	if err != nil {
		return nil, err
	}
	dial := c.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: c.Timeout, KeepAlive: 30 * time.Second}).DialContext
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyURL(proxy),
		OnProxyConnectResponse: onConnect,
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    c.Timeout,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxConnsPerHost:        c.Workers,
		MaxIdleConnsPerHost:    c.Workers,
		MaxIdleConns:           c.Workers,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: headerLimit,
		WriteBufferSize:        transportBuffer,
		ReadBufferSize:         transportBuffer,
	}, nil
}

func loadRoots(c Config) (*x509.CertPool, error) {
	if c.CAFile == "" {
		return c.RootCAs, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read CA file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read CA file %q: there is no certificate in PEM form in it", c.CAFile)
	}
	return pool, nil
}

// attempt is one HTTP request and its result.
type attempt struct {
	status    int   // of HTTP; 0: no answer
	err       error // why there is no answer that can be read
	readErr   error // err, if it is from reading the body
	env       envelope
	connected bool   // the service may have seen the request
	signature uint64 // number of the signature
	received  int64  // bytes of the body
	took      time.Duration
	pause     time.Duration // from Retry-After
}

// reader reads the body of an answer with status 200.
type reader func(body *limited) (envelope, error)

// send makes one attempt. It ends within the timeout, even if ctx ends. It calls the transport
// directly, because http.Client would follow redirects, and print the URL with the signature in its
// errors.
func (c *Client) send(ctx context.Context, api string, sig signature, body []byte, limit int64, read reader) (
	a attempt) {
	start := time.Now()
	defer func() { a.took = time.Since(start) }()
	a.signature = sig.number
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
	defer cancel()
	var connected atomic.Bool // there was a connection, so the service may have seen the request
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, "", bytes.NewReader(body))
	if err != nil {
		return attempt{err: err}
	}
	req.URL, req.Header = c.address(api, sig.text), c.header
	res, err := c.transport.RoundTrip(req)
	if err != nil {
		a.err = otherScheme(err)
	} else {
		took := time.Since(start)
		c.contact.Store(&Contact{Took: took, At: start.Add(took / 2), Date: res.Header.Get("Date"), Via: c.byProxy()})
		a.receive(ctx, res, limit, read)
	}
	a.connected = connected.Load()
	if a.err != nil && ctx.Err() != nil {
		what := "answer"
		if !a.connected {
			what = "connection" + c.byProxy()
		}
		a.err = lateError(fmt.Sprintf("no %s within %v", what, c.timeout))
	}
	return a
}

// lateError is context.DeadlineExceeded with a text that says what was late.
type lateError string

func (e lateError) Error() string      { return string(e) }
func (lateError) Is(target error) bool { return target == context.DeadlineExceeded }

// Contact is what an HTTP answer shows of the way to the service, whatever it says.
type Contact struct {
	Took time.Duration // until it began
	At   time.Time     // when it was probably written, by this machine's clock
	Date string        // its header
	Via  string        // " through the proxy HOST"; "": directly
}

// Contact returns what the last HTTP answer showed; nil: there was none.
func (c *Client) Contact() *Contact { return c.contact.Load() }

func (c *Client) address(api, signature string) *url.URL {
	u := *c.endpoint
	u.Path += "/v4/" + group(api) + "/" + api
	u.RawQuery = c.query + "&usersig=" + signature + "&random=" + strconv.FormatUint(uint64(rand.Uint32()), 10) +
		"&contenttype=json"
	return &u
}

func group(api string) string {
	if api == accountCheck || api == accountsImport {
		return "im_open_login_svc"
	}
	return "sns"
}

// receive reads an answer to its end, so that its connection can be used again.
func (a *attempt) receive(ctx context.Context, res *http.Response, limit int64, read reader) {
	defer res.Body.Close()
	a.status = res.StatusCode
	body := &limited{from: res.Body, left: limit, ctx: ctx, size: res.ContentLength}
	defer func() { a.received = body.n }()
	switch coding := res.Header.Get("Content-Encoding"); {
	case coding != "" && coding != "identity":
		a.err = errCompressed
	case a.status == http.StatusOK:
		a.env, a.err = read(body)
	default:
		a.pause = retryAfter(res.Header.Get("Retry-After"))
		a.env, _ = readAnswer(&limited{from: body, left: headerLimit}, content{})
	}
	if body.err == nil {
		_, _ = io.CopyN(io.Discard, body, drainLimit)
	}
	if body.err != nil && body.err != io.EOF {
		a.readErr, a.err = body.err, body.err
	}
}

// limited reads at most left bytes and remembers how reading ended.
type limited struct {
	from io.Reader
	left int64
	n    int64 // bytes read
	err  error

	ctx  context.Context // of the attempt
	size int64           // by Content-Length; below 0: not known
}

func (l *limited) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	var n int
	if l.left > 0 {
		n, l.err = l.from.Read(p[:min(int64(len(p)), l.left)])
	} else if n, l.err = l.from.Read(make([]byte, 1)); n > 0 {
		n, l.err = 0, errOversize
	}
	l.n += int64(n)
	l.left -= int64(n)
	return n, l.err
}

// mostPause is the longest pause that Retry-After can cause.
const mostPause = time.Minute

// retryAfter reads the header, which holds seconds or a date.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, mostPause)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), mostPause)
	}
	return 0
}

// The errors of an endpoint whose scheme does not fit the service's port.
var (
	errTLSPort = errors.New("the service answers in TLS, but the endpoint begins with http://: " +
		"write https:// in --endpoint")
	errPlainPort = errors.New("the service answers in plain HTTP, but the endpoint begins with https://: " +
		"give --endpoint the port that speaks TLS, or http:// if it is meant (other machines: --allow-plain-http)")
)

// otherScheme returns a clearer error if the service uses the other scheme than the endpoint, else
// err.
func otherScheme(err error) error {
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok && string(record.RecordHeader[:]) == "HTTP/" {
		return errPlainPort
	}
	// net/http has no error type for an alert of TLS in place of an answer.
	if strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`) {
		return errTLSPort
	}
	return err
}
