package sink

import (
	"context"
	"encoding/base64"
	"fmt"
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
