package answers

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"

	"friendmigrate/sink/simulator"
)

// The app of all suites, and its key.
const (
	app = 1400000042
	key = "8d1f0c5be37a42d69e0b7715c4ad98f3206b5de1a97c4f38b16e02d47fa3590c"
)

// chat is a simulated service.
type chat struct {
	*simulator.Server
	endpoint string
	dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: TCP
}

// piped serves c over pipes, for virtual time. It ends with the test, in whose bubble it has to be
// made.
func piped(t testing.TB, c simulator.Config) *chat {
	pipes := newPipes()
	s := serve(t, c, pipes)
	s.endpoint, s.dial = "http://127.0.0.1", pipes.dial
	return s
}

// looped serves c on a loopback port.
func looped(t testing.TB, c simulator.Config) *chat {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, c, l)
	s.endpoint = "http://" + l.Addr().String()
	return s
}

func serve(t testing.TB, c simulator.Config, l net.Listener, also ...func(*http.Server)) *chat {
	t.Helper()
	c.SDKAppID, c.Key = app, key
	s := &chat{Server: simulator.New(c)}
	server := s.HTTP()
	for _, change := range also {
		change(server)
	}
	var ended sync.WaitGroup
	ended.Go(func() { _ = server.Serve(s.Listener(l)) })
	t.Cleanup(func() {
		s.Close() // what is stalled on purpose ends
		_ = server.Close()
		ended.Wait()
	})
	return s
}
