package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"friendmigrate/sink/simulator"
)

// Simulation is the program's own command simulate.
type Simulation struct {
	URL string
	cmd *exec.Cmd
}

// Simulate starts a simulation for the app of all jobs, on loopback. dir holds the key.
func (b Binary) Simulate(dir string, flags ...string) (*Simulation, error) {
	args := append([]string{"simulate", "--sdk-app-id", fmt.Sprint(App), "--secret-key-file", "key"}, flags...)
	s := &Simulation{cmd: exec.Command(string(b), args...)}
	s.cmd.Dir = dir
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("simulate told no URL: %w", err), s.Close())
	}
	s.URL = strings.TrimSpace(line)
	return s, nil
}

// Stats is the service's own account.
func (s *Simulation) Stats() (stats simulator.Stats, err error) {
	client := http.Client{Timeout: time.Minute}
	answer, err := client.Get(s.URL + "/_sim/stats")
	if err != nil {
		return stats, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	return stats, json.NewDecoder(answer.Body).Decode(&stats)
}

// Close ends the simulation at once.
func (s *Simulation) Close() error {
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	_ = s.cmd.Wait() // killed
	return nil
}
