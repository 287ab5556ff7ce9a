package miner

import "errors"

// Errors of New and ParseEndpoint.
var (
	// ErrBadPool says that the address of the pool cannot be understood.
	ErrBadPool = errors.New("miner: not a pool address")
	// ErrBadConfig says that another setting is out of range.
	ErrBadConfig = errors.New("miner: bad configuration")
)

// Errors of the parsers.
var (
	// ErrBadMessage says that a line is not a Stratum message.
	ErrBadMessage = errors.New("miner: not a stratum message")
	// ErrBadJob says that a mining.notify cannot be worked on.
	ErrBadJob = errors.New("miner: bad job")
	// ErrBadSubscription says that the answer to mining.subscribe holds no
	// usable extranonce.
	ErrBadSubscription = errors.New("miner: bad answer to subscribe")
)

// Reasons for the end of a session.
var (
	errUnauthorized     = errors.New("the pool refused the worker")
	errNotSubscribed    = errors.New("the pool refused to subscribe")
	errHandshakeTimeout = errors.New("the pool did not sign us in in time")
	errSilence          = errors.New("the pool said nothing for too long")
	errClosed           = errors.New("the pool closed the connection")
	errLineTooLong      = errors.New("the pool sent a line that is too long")
	errTooManyBadLines  = errors.New("the pool sent too much that is not stratum")
)
