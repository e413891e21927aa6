package simulator

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// Serve serves on l until stop is called. stop lets calls in flight end until its ctx ends, and
// returns what went wrong with serving.
func (s *Server) Serve(l net.Listener) (stop func(context.Context) error) {
	server := s.HTTP()
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.Listener(l)) }()
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close() // stalled on purpose, perhaps
		}
		if end := <-served; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	}
}
