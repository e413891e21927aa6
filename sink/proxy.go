package sink

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"friendmigrate/migrate"
)

// proxyError is a proxy that does not connect us: its answer to CONNECT is not 200.
type proxyError struct {
	host   string // of the proxy
	status int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy %s refused the connection: HTTP %d %s", e.host, e.status, http.StatusText(e.status))
}

// onConnect keeps the status of an answer to CONNECT. net/http would keep only its text.
func onConnect(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
	if res.StatusCode != http.StatusOK {
		return &proxyError{proxy.Host, res.StatusCode}
	}
	return nil
}

// byProxy names the proxy, if there is one, behind what failed.
func (c *Client) byProxy() string {
	if c.proxy == nil {
		return ""
	}
	return " through the proxy " + c.proxy.Host
}

// judgeProxy: a proxy that refuses us is a setting like another. One that cannot reach the service
// passes; its status has no place in Code then, because nobody answered for the service.
func judgeProxy(e *migrate.CallError, refused *proxyError) {
	if v, _ := statusVerdict(refused.status); v == migrate.VerdictSuspect {
		e.Verdict, e.Code, e.Limit, e.Hint = v, refused.status, 1, hintProxy
	}
}

// proxySecrets are the forms in which a proxy's user and password are sent.
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

// leastPassword is how short a password may be to be looked for in texts: a shorter one would be
// found in everything.
const leastPassword = 4

// errTLSPort is a service that answers plain HTTP with TLS.
var errTLSPort = errors.New("the service answers in TLS, but the endpoint begins with http://: it has to be https://")

// errPlainPort is the reverse.
var errPlainPort = errors.New(
	"the service answers in plain HTTP, but the endpoint begins with https://: check its port")

// plainDial dials connections for plain HTTP that notice when TLS comes back: net/http would call
// that a malformed answer.
func plainDial(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &plainConn{Conn: conn}, nil
	}
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

type plainConn struct {
	net.Conn
	read bool // something
}

// Read finds the beginning of a record of TLS, an alert or a part of a handshake, in place of that
// of an answer.
func (c *plainConn) Read(p []byte) (int, error) {
	const alert, handshake = 0x15, 0x16
	n, err := c.Conn.Read(p)
	if n > 0 && !c.read && (p[0] == alert || p[0] == handshake) {
		return 0, errTLSPort
	}
	c.read = c.read || n > 0
	return n, err
}
