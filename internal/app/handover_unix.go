//go:build unix

package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// canBecome says whether a running program can be replaced by another.
const canBecome = true

// handOverVariable tells a program which sockets the one before it left.
const handOverVariable = "POOLSCOPE_HANDOVER"

// firstSystemdSocket is the number of the first socket that systemd passes
// (sd_listen_fds(3)).
const firstSystemdSocket = 3

// handedOver is the content of the variable. The process keeps its number, so
// a child that inherits the variable by accident can tell.
type handedOver struct {
	PID     int          `json:"pid"`
	Sockets []handedSock `json:"sockets"`
}

type handedSock struct {
	Role    role   `json:"role"`
	Address string `json:"address"`
	FD      int    `json:"fd"`
}

// TakeSockets finds the listening sockets that systemd or an earlier poolscope
// left to this process. It removes their variables from the environment, so
// that no child takes them for its own.
func TakeSockets() (*Sockets, error) {
	out := &Sockets{}
	text := os.Getenv(handOverVariable)
	count, listenPID, names := os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDNAMES")
	for _, name := range []string{handOverVariable, "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	if text != "" {
		var left handedOver
		if err := json.Unmarshal([]byte(text), &left); err != nil {
			return nil, fmt.Errorf("%s: %w", handOverVariable, err)
		}
		if left.PID == os.Getpid() {
			for _, s := range left.Sockets {
				out.add(s.FD, s.Role, s.Address)
			}
		}
	}
	n, err := strconv.Atoi(count)
	if err != nil || listenPID != strconv.Itoa(os.Getpid()) {
		return out, nil
	}
	byNumber := strings.Split(names, ":")
	for i := range n {
		var r role
		if i < len(byNumber) {
			switch named := role(byNumber[i]); named {
			case roleStratum, roleStratumTLS, roleHTTP, roleHTTPS, roleScope, roleScopeTLS:
				r = named
			}
		}
		out.add(firstSystemdSocket+i, r, "")
	}
	return out, nil
}

func (s *Sockets) add(fd int, r role, address string) {
	syscall.CloseOnExec(fd)
	s.list = append(s.list, socket{r, address, os.NewFile(uintptr(fd), "listener")})
}

// become replaces the running program by what is on disk now, in the same
// process, with the sockets. It returns only if that fails.
func (p Program) become(sockets *Sockets) error {
	left := handedOver{PID: os.Getpid()}
	for _, s := range sockets.list {
		fd, err := inheritable(s.file)
		if err != nil {
			return fmt.Errorf("hand over %s: %w", s.role, err)
		}
		left.Sockets = append(left.Sockets, handedSock{s.role, s.address, fd})
	}
	text, err := json.Marshal(left)
	if err != nil {
		return err
	}
	// Until the next program listens to them, these would end it.
	signal.Ignore(syscall.SIGHUP, syscall.SIGUSR2)
	environment := append(os.Environ(), handOverVariable+"="+string(text))
	err = syscall.Exec(p.Path, append([]string{p.Path}, p.Arguments...), environment)
	return fmt.Errorf("start %s: %w", p.Path, err)
}

// inheritable makes a copy of a file that stays open for the next program.
// os.File.Fd is of no use here: it makes the socket block.
func inheritable(file *os.File) (fd int, err error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(number uintptr) { fd, failed = syscall.Dup(int(number)) })
	return fd, errors.Join(err, failed)
}
