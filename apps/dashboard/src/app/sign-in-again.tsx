/** Over the page, when the session has ended meanwhile: nothing typed there is lost. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { onSessionEnded } from "../api/use-endpoint.ts";
import { SignInForm } from "../pages/sign-in-form.tsx";
import { Modal } from "../ui/modal.tsx";

/** The first request that is refused for want of a session opens it. */
export function SignInAgain() {
  const queryClient = useQueryClient();
  const [isOver, setIsOver] = useState(false);
  useEffect(() => onSessionEnded(() => setIsOver(true)), []);
  return (
    <Modal
      about="Your session has ended. What you typed is still there."
      isOpen={isOver}
      onClose={() => setIsOver(false)}
      title="Sign in again"
    >
      <SignInForm
        onSignedIn={() => {
          setIsOver(false);
          queryClient.refetchQueries({ type: "active" }).catch(() => {}); // The pages tell.
        }}
      />
    </Modal>
  );
}
