"""The message that tells somebody about their account. It holds no secret: the page it names sends the link."""

from trial.access.actions import Invitation
from trial.base.words import local_day
from trial.messages import actions


def write_invitation(invitation: Invitation) -> None:
    """Write one invitation a day to the outbox; registered in trial.wiring."""
    user, day = invitation.user, local_day(invitation.at)
    actions.write_message(
        key=f"invitation:{user.pk}:{day.isoformat()}",
        kind="invitation",
        heading="Your account",
        body=(
            f"Dear {user.name},\n\n"
            "An account was made for you. To sign in for the first time, set a password:\n\n"
            f"1. Open {invitation.set_password_url}\n"
            f"2. Enter this e-mail address: {user.email}\n"
            "3. Follow the link in the next e-mail. It works for 3 days; you can ask for another one.\n\n"
            "Then set up a second factor when the page asks for it. The account is yours alone: do not share it.\n\n"
            "If you did not expect this, tell the trial office.\n"
        ),
        at=invitation.at,
        to_user=user,
        by=invitation.by,
    )
