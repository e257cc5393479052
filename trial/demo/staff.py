"""The people who run the demonstration study: one sign-in for each role, and colleagues at every site."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from trial.access.actions import create_account, grant_role
from trial.access.delegation import delegate
from trial.access.models import Duty, Site, User
from trial.access.policy import POLICY, Role
from trial.access.signing import Proof, reauthenticate

DOMAIN = "demo.example"
PASSPHRASE = "green-hedgerow-demo"
"""Of every account of the demonstration, which runs on made-up data and answers on this machine only."""
R = Role


@dataclass(frozen=True)
class Post:
    """One account with its role.

    Attributes:
        account: what stands before @demo.example.
        sites: codes of the sites at which a role per site is held.
        is_shown: printed as the sign-in of its role.
        covers_today: holds the role for these two weeks only, while somebody is away.
    """

    account: str
    name: str
    role: Role
    sites: tuple[str, ...] = ()
    is_shown: bool = False
    blinded: bool = False
    covers_today: bool = False


ALL = ("01", "02", "03")
POSTS = (
    Post("coordinator", "Priya Nair", R.COORDINATOR, ("01",), is_shown=True),
    Post("coordinator.second", "Mark Tregenza", R.COORDINATOR, ("01",)),
    Post("coordinator.exe", "Rhys Bevan", R.COORDINATOR, ("02",)),
    Post("coordinator.moor", "Ellen Ashworth", R.COORDINATOR, ("03",)),
    Post("randomiser", "Ruth Vane", R.RANDOMISER, is_shown=True),
    Post("leader", "Sam Treloar", R.ACTIVITY_LEADER, ("01",), is_shown=True),
    Post("leader.second", "Jo Penrose", R.ACTIVITY_LEADER, ("01",)),
    Post("leader.exe", "Kit Lanyon", R.ACTIVITY_LEADER, ("02",)),
    Post("leader.exe.second", "Bea Holroyd", R.ACTIVITY_LEADER, ("02",)),
    Post("leader.moor", "Wil Dunstan", R.ACTIVITY_LEADER, ("03",)),
    Post("leader.moor.second", "Ada Whitlock", R.ACTIVITY_LEADER, ("03",)),
    Post("assessor", "Hannah Quiller", R.OUTCOME_ASSESSOR, ("01",), is_shown=True),
    Post("assessor.exe", "Dev Malhotra", R.OUTCOME_ASSESSOR, ("02",)),
    Post("assessor.moor", "Cerys Vaughan", R.OUTCOME_ASSESSOR, ("03",)),
    Post("pi", "Dr Grace Okafor", R.PRINCIPAL_INVESTIGATOR, ("01",), is_shown=True),
    Post("pi.exe", "Dr Neil Farrant", R.PRINCIPAL_INVESTIGATOR, ("02",)),
    Post("pi.moor", "Dr Judith Hale", R.PRINCIPAL_INVESTIGATOR, ("03",)),
    Post("ci", "Professor Anna Lindqvist", R.CHIEF_INVESTIGATOR, is_shown=True, blinded=True),
    Post("clinician", "Dr Omar Iqbal", R.DUTY_CLINICIAN, ("01",), is_shown=True),
    Post("clinician.cover", "Dr Lucy Marchant", R.DUTY_CLINICIAN, ("01",), covers_today=True),
    Post("clinician.exe", "Dr Paul Sefton", R.DUTY_CLINICIAN, ("02",)),
    Post("clinician.moor", "Dr Mina Rao", R.DUTY_CLINICIAN, ("03",)),
    Post("safeguarding", "Carys Bowen", R.SAFEGUARDING_LEAD, is_shown=True),
    Post("manager", "Daniel Frost", R.TRIAL_MANAGER, is_shown=True),
    Post("data", "Tom Ellery", R.DATA_MANAGER, is_shown=True),
    Post("monitor", "Sylvia Grant", R.MONITOR, ALL, is_shown=True),
    Post("sponsor", "Dr Henry Aldous", R.SPONSOR_REVIEWER, is_shown=True),
    Post("statistician", "Dr Mei Tanaka", R.TRIAL_STATISTICIAN, is_shown=True),
    Post("unblinded", "Dr Ivo Petrov", R.UNBLINDED_STATISTICIAN, is_shown=True),
    Post("unblinded.second", "Dr Clara Nunes", R.UNBLINDED_STATISTICIAN),
    Post("representative", "Fiona Blake", R.SPONSOR_REPRESENTATIVE, is_shown=True),
    Post("dmec", "Professor Leon Carver", R.DMEC, is_shown=True),
    Post("accounts", "Nick Hollis", R.ADMINISTRATOR, is_shown=True),
)
DUTIES: dict[Role, tuple[Duty, ...]] = {
    R.COORDINATOR: (Duty.CONSENT,),
    R.RANDOMISER: (Duty.RANDOMISATION,),
    R.PRINCIPAL_INVESTIGATOR: (Duty.CONSENT, Duty.ELIGIBILITY, Duty.SAFETY),
    R.DUTY_CLINICIAN: (Duty.SAFETY,),
}


def address(post: Post) -> str:
    """The e-mail address with which somebody signs in."""
    return f"{post.account}@{DOMAIN}"


class Staff:
    """Everybody's account, by role and site, with a proof for those who sign."""

    def __init__(self, today: date) -> None:
        self._accounts: dict[str, User] = {}
        self._proofs: dict[int, Proof] = {}
        self.today = today

    def __call__(self, account: str) -> User:
        """The account with this name before the @."""
        return self._accounts[account]

    def at(self, role: Role, site: str, turn: int = 0) -> User:
        """Somebody with a role at a site; `turn` takes each in turn."""
        there = [p for p in POSTS if p.role == role and site in (p.sites or ALL) and not p.covers_today]
        return self._accounts[there[turn % len(there)].account]

    def proof(self, user: User, at: datetime) -> Proof:
        """That somebody has entered their password to sign; it is checked once for each account."""
        if user.pk not in self._proofs:
            self._proofs[user.pk] = reauthenticate(user=user, secret=PASSPHRASE, at=at)
        return replace(self._proofs[user.pk], at=at)

    def hire(self, *, since: date) -> None:
        """Make every account, and give the roles that are held for all sites. One passphrase, hashed once."""
        password = make_password(PASSPHRASE)
        for post in POSTS:
            user = create_account(name=post.name, email=address(post), by=None)
            user.password = password
            user.save(update_fields=["password"])
            self._accounts[post.account] = user
            if not POLICY[post.role].per_site:
                self._give_role(post, None, since)

    def appoint(self, at: datetime) -> None:
        """Give the roles of sites and the delegated duties, from a week before each site opened."""
        places = [(post, site) for post in POSTS for site in Site.objects.all() if site.code in (post.sites or ALL)]
        for post, site in places:
            if POLICY[post.role].per_site:
                self._give_role(post, site, self._since(post, site))
        for post, site in places:
            for duty in DUTIES.get(post.role, ()):
                self._delegate(post, site, duty, at)
        for user in self._accounts.values():
            user.__dict__.pop("access", None)

    def _since(self, post: Post, site: Site) -> date:
        return self.today - timedelta(days=2) if post.covers_today else site.opened_date - timedelta(days=7)

    def _until(self, post: Post) -> date | None:
        return self.today + timedelta(days=11) if post.covers_today else None

    def _give_role(self, post: Post, site: Site | None, since: date) -> None:
        grant_role(
            user=self(post.account),
            role=post.role,
            site=site,
            from_date=since,
            to_date=self._until(post),
            blinded=post.blinded,
            training_date=since - timedelta(days=20),
            by=None,
        )

    def _delegate(self, post: Post, site: Site, duty: Duty, at: datetime) -> None:
        """A line of the log, signed by the site's investigator."""
        investigator = self.at(R.PRINCIPAL_INVESTIGATOR, site.code)
        delegate(
            user=self(post.account),
            site=site,
            duty=duty,
            from_date=self._since(post, site),
            to_date=self._until(post),
            training_evidence="Good clinical practice certificate",
            training_date=min(self._since(post, site), timezone.localdate(at)) - timedelta(days=20),
            by=investigator,
            at=at,
            proof=self.proof(investigator, at),
        )
