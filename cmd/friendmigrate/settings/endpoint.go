package settings

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// CheckEndpoint checks the URL of a service and returns it as scheme://host[:port]. http is allowed
// for this machine only, unless plain is set, since the signature is in every URL.
func CheckEndpoint(endpoint string, plain bool) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		// The error does not contain the URL, which may contain a secret.
		return "", errors.New("--endpoint has to be the URL of a service, such as https://adminapisgp.im.qcloud.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", errors.New("--endpoint is scheme, host and port alone: no user, path or query")
	}
	if u.Scheme == "http" && !plain && !loopback(u.Hostname()) {
		return "", fmt.Errorf("--endpoint http://%s would send the signature in plain text: use https, "+
			"or --allow-plain-http if that is what you want", u.Host)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// ProxyVariables are the variables that name a proxy for calls.
var ProxyVariables = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"}

// BadProxy is the error about a variable whose value is not the URL of a proxy.
type BadProxy string

func (b BadProxy) Error() string {
	return string(b) + " cannot be read as the URL of a proxy, such as http://proxy.example.com:3128 " +
		"(its value is not shown)"
}

// CheckProxies returns an error for each variable whose proxy cannot be used. Go's library would
// ignore the variable and bypass the proxy. The error does not contain the value, which may contain
// a password.
func CheckProxies(env map[string]string) error {
	var all []error
	for _, name := range ProxyVariables {
		if value := env[name]; value != "" && !usableProxy(value) {
			all = append(all, BadProxy(name))
		}
	}
	return errors.Join(all...)
}

// usableProxy reports whether Go finds the intended proxy in a value. The default scheme is http.
func usableProxy(value string) bool {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		// A password with / or ? or # in it ends up in the path, the query or the fragment.
		return false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	known := slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)
	return known && (u.Port() == "" || err == nil && port > 0)
}
