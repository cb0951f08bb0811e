package signing

import (
	"context"

	"absah/internal/store"
)

// DocumentEvent is what happens to a document.
type DocumentEvent string

// What happens to documents. The others are the ends of workflows.
const (
	EventSigned    DocumentEvent = "signed"
	EventTurn      DocumentEvent = "turn" // somebody's turn in a workflow has come
	EventCompleted DocumentEvent = "completed"
	EventRejected  DocumentEvent = "rejected"
	EventCancelled DocumentEvent = "cancelled"
)

// Happening is one thing that happened to a document.
type Happening struct {
	What       DocumentEvent
	DocumentID string
	Version    int64  // that was made; 0 when none was
	EmployeeID string // who did it; whose turn it is
	Role       Role   // that is asked for
}

// Events learns in the transaction what becomes of documents, for programs that
// asked to be told (package webhook).
type Events interface {
	Document(ctx context.Context, tx *store.Tx, h Happening) error
}

func (s *Service) happened(ctx context.Context, tx *store.Tx, h Happening) error {
	if s.Events == nil {
		return nil
	}
	return s.Events.Document(ctx, tx, h)
}

// endEvent is what the end of a workflow means for its document.
func endEvent(state string) DocumentEvent {
	switch state {
	case Done:
		return EventCompleted
	case Rejected:
		return EventRejected
	}
	return EventCancelled
}
