"""Invented names, streets and practices."""


def _listed(text: str) -> list[str]:
    return text.split()


FEMALE = _listed(
    "Alison Amara Angela Anjali Anwen Barbara Bethan Bridget Carol Catherine Charlotte Chloe Christine Claire "
    "Deborah Demelza Denise Diane Donna Eileen Elaine Eleri Elizabeth Emily Emma Fatima Fiona Frances Gillian Grace "
    "Hannah Heather Helen Ifeoma Imogen Iris Jacqueline Jane Janet Jasmine Jennifer Joan Josephine Joyce Judith "
    "Julie Karen Kate Kavita Keziah Laura Leanne Lesley Linda Lorraine Louise Lowenna Lucy Lynne Mabel Maggie "
    "Margaret Marie Maureen Megan Meera Michelle Morwenna Nadia Naomi Natalie Nicola Nisha Olivia Pamela Patricia "
    "Pauline Philippa Rachel Rebecca Rosemary Ruth Sadie Samantha Sandra Sarah Sharon Sheila Shirley Sian Sophie "
    "Susan Tamsin Tina Tracey Usha Valerie Veronica Victoria Wendy Yasmin Yvonne Zainab Zoe"
)
MALE = _listed(
    "Adam Ahmed Alan Andrew Anthony Arthur Barry Ben Brian Callum Christopher Clive Colin Craig Daniel Darren David "
    "Denzil Derek Dominic Edward Emeka Eric Ewan Francis Gareth Gary George Glyn Gordon Graham Harry Hassan Howard "
    "Hugh Ian Idris Imran Jack James Jamie Jason Jeremy John Jonathan Joseph Keith Kenneth Kevin Lee Leonard Lewis "
    "Liam Luke Malcolm Mark Martin Matthew Michael Neil Nigel Oliver Osian Paul Peter Philip Raj Raymond Richard "
    "Robert Roger Roy Rupert Ryan Samuel Scott Sean Simon Stanley Stephen Stuart Terence Thomas Timothy Tom Trevor "
    "Victor Vikram Wayne Wesley William Yusuf"
)
OTHER = _listed("Alex Ash Charlie Jules Kit Robin Sam")
LAST = _listed(
    "Adeyemi Ahmed Allen Andrews Angove Bailey Baker Barnes Begum Bell Bennett Bickford Blewett Bolitho Bowden Bray "
    "Brooks Brown Burrows Butler Carter Chapman Chaudhry Clarke Coad Cole Collins Cook Cooper Cox Crocker Curnow "
    "Davies Dawson Eddy Edwards Ellis Evans Farrell Fernandes Fisher Foster Fox Furze Gibson Gill Graham Gray Green "
    "Griffiths Hall Harding Harris Harvey Hawke Hicks Hill Hocking Holman Hooper Howell Hughes Hussain Jackson "
    "James Jenkin Johnson Jones Kaur Kelly Khan King Kitto Knight Lang Lawson Lee Lewis Luscombe Marsh Martin Mason "
    "May Menhinick Mistry Mitchell Moore Morgan Morris Murphy Nance Nancarrow Newton Nowak Odgers Okoro Oliver "
    "Osborne Palmer Parker Parsons Pascoe Patel Pearce Penhale Perry Phillips Pike Polglase Poole Powell Price "
    "Quick Rahman Reed Reynolds Richards Roberts Robinson Rogers Rosewarne Rowe Russell Sandercock Saunders Scott "
    "Shah Sharma Shaw Short Simmons Singh Smale Smith Spear Stevens Stone Sullivan Symons Taylor Thomas Thompson "
    "Tonkin Toms Tregear Treloar Trevithick Turner Uren Veale Walker Wallace Ward Warren Waters Watson Webb White "
    "Widger Wilkins Williams Wilson Wood Wright Yelland Young"
)
STREETS = (
    "Abbey Road",
    "Beech Close",
    "Bridge Street",
    "Castle Hill",
    "Chapel Lane",
    "Church Row",
    "Coombe Park",
    "Cross Street",
    "Elm Grove",
    "Fore Street",
    "Glen View",
    "Harbour Terrace",
    "Hazel Walk",
    "Lower Meadow",
    "Market Place",
    "Mill Lane",
    "Moor View",
    "Orchard Way",
    "Park Crescent",
    "Quay Lane",
    "Rectory Drive",
    "School Hill",
    "Station Road",
    "Tor Close",
    "Valley Road",
    "Well Street",
    "West Hill",
    "Willow Bank",
)
TOWNS = {
    "01": ("Tamarford", "ZZ1"),
    "02": ("Exe Quay", "ZZ2"),
    "03": ("Moorstow", "ZZ3"),
}
"""Town and outward code of each site's area. ZZ is no postcode area."""
PRACTICES = {
    "01": ("Tavyside Surgery", "Weir Head Medical Centre", "Bere Lane Practice"),
    "02": ("Estuary Medical Practice", "Quayside Surgery", "Sandhills Health Centre"),
    "03": ("Moorland Surgery", "High Tor Practice", "Clapper Bridge Medical Centre"),
}
ORGANISATIONS = {
    "link_worker": "Westmarch social prescribing service",
    "mental_health_team": "Westmarch talking therapies",
    "voluntary": "Open Door Westmarch",
    "self": "",
}
"""Who refers, by type of source; a GP practice is one of the site's own."""
